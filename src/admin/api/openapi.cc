#include "admin/api/openapi.h"

#include <algorithm>
#include <map>
#include <set>

#include "admin/api/openapi_schemas.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace partywall::admin {
namespace {

JsonValue text(std::string_view value) { return JsonValue(std::string(value)); }
JsonValue object(JsonObject members) { return JsonValue(std::move(members)); }

JsonValue reference(std::string_view schema) {
  return object({{"$ref", text(fmt::format("#/components/schemas/{}", schema))}});
}

JsonValue content(std::string_view type, std::string_view schema) {
  return object(
      {{"content", object({{std::string(type), object({{"schema", reference(schema)}})}})}});
}

JsonValue parameter(std::string_view name, std::string_view where, bool required) {
  return object({{"name", text(name)},
                 {"in", text(where)},
                 {"required", JsonValue(required)},
                 {"schema", object({{"type", text("string")}})}});
}

JsonArray parameters_of(const ApiEndpoint& endpoint) {
  JsonArray parameters;
  for (const std::string_view segment : split(endpoint.pattern, '/')) {
    if (segment.starts_with('{'))
      parameters.push_back(parameter(segment.substr(1, segment.size() - 2), "path", true));
  }
  for (const std::string_view name : endpoint.query)
    parameters.push_back(parameter(name, "query", false));
  if (endpoint.if_match != IfMatch::kIgnored)
    parameters.push_back(parameter("If-Match", "header", false));
  if (endpoint.method != "GET") {
    if (endpoint.method == "POST")
      parameters.push_back(parameter("Idempotency-Key", "header", false));
    parameters.push_back(parameter("X-Audit-Reason", "header", false));
  }
  return parameters;
}

// "operationId": "postTenantsTenantSuspend"
std::string operation_id(const ApiEndpoint& endpoint) {
  std::string id;
  for (const char c : endpoint.method) id += static_cast<char>(c | 0x20);
  bool upper = true;
  for (const char c : endpoint.pattern.substr(std::string_view("/v1").size())) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter) id += upper ? static_cast<char>(c & ~0x20) : c;
    upper = !is_letter;
  }
  return id;
}

JsonValue responses_of(const ApiEndpoint& endpoint) {
  JsonObject responses;
  for (const uint16_t status : statuses_of(endpoint)) {
    JsonValue response = status < 400
                             ? (endpoint.response_schema.empty()
                                    ? object({})
                                    : content(endpoint.response_type, endpoint.response_schema))
                             : content("application/problem+json", "Problem");
    JsonObject members = *response.as_object();
    members.insert(members.begin(), {"description", text(reason_phrase(status))});
    responses.push_back({fmt::format("{}", status), object(std::move(members))});
  }
  return object(std::move(responses));
}

std::string_view tenant_admin_note(TenantAdmins tenant_admins) {
  switch (tenant_admins) {
    case TenantAdmins::kRefused:
      return "";
    case TenantAdmins::kOwnTenant:
      return "; a tenant-admin for its own tenant";
    case TenantAdmins::kFiltered:
      return "; a tenant-admin sees what is its tenant's";
  }
  return "";
}

JsonValue operation_of(const ApiEndpoint& endpoint) {
  JsonObject operation{
      {"operationId", text(operation_id(endpoint))},
      {"summary", text(endpoint.summary)},
      {"description", text(fmt::format("Role: {}{}.", to_string(endpoint.access.least),
                                       tenant_admin_note(endpoint.access.tenant_admins)))},
      {"parameters", JsonValue(parameters_of(endpoint))}};
  if (!endpoint.request_schema.empty()) {
    JsonObject body = *content("application/json", endpoint.request_schema).as_object();
    body.insert(body.begin(), {"required", JsonValue(endpoint.request_schema != "Empty")});
    operation.push_back({"requestBody", object(std::move(body))});
  }
  operation.push_back({"responses", responses_of(endpoint)});
  return object(std::move(operation));
}

JsonValue paths_of(const ApiEndpoints& endpoints) {
  std::map<std::string_view, JsonObject> by_pattern;
  for (const ApiEndpoint& endpoint : endpoints) {
    std::string method;
    for (const char c : endpoint.method) method += static_cast<char>(c | 0x20);
    by_pattern[endpoint.pattern].push_back({std::move(method), operation_of(endpoint)});
  }
  JsonObject paths;
  for (auto& [pattern, operations] : by_pattern)
    paths.push_back({std::string(pattern), object(std::move(operations))});
  return object(std::move(paths));
}

}  // namespace

std::vector<uint16_t> statuses_of(const ApiEndpoint& endpoint) {
  // 400: query and headers are read strictly everywhere.
  std::set<uint16_t> statuses = {endpoint.success, 400, 401, 403, 429, 500, 503};
  if (endpoint.method == "PUT" && endpoint.if_match == IfMatch::kRequired) statuses.insert(201);
  if (endpoint.pattern.contains('{') || !endpoint.query.empty()) statuses.insert(404);
  if (endpoint.method != "GET") statuses.insert({409, 413});
  if (!endpoint.request_schema.empty()) statuses.insert({415, 422});
  if (endpoint.if_match != IfMatch::kIgnored) statuses.insert(412);
  if (endpoint.if_match == IfMatch::kRequired) statuses.insert(428);
  return {statuses.begin(), statuses.end()};
}

std::string openapi_document(const ApiEndpoints& endpoints) {
  const JsonValue document = object(
      {{"openapi", text("3.1.0")},
       {"info", object({{"title", text("Partywall admin API")},
                        {"version", text("1")},
                        {"description", text("docs/control-plane.md explains it.")}})},
       {"security", JsonValue(JsonArray{object({{"bearer", JsonValue(JsonArray{})}})})},
       {"paths", paths_of(endpoints)},
       {"components",
        object({{"securitySchemes", object({{"bearer", object({{"type", text("http")},
                                                               {"scheme", text("bearer")}})}})},
                {"schemas", openapi_schemas()}})}});
  return to_json_text(document) + '\n';
}

}  // namespace partywall::admin
