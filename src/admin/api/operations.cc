#include "store/control/operations.h"

#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/tenants.h"

// Operations: work that takes more than one step, with its progress.
namespace partywall::admin {
namespace {

ApiResult<store::OperationId> parse_id(std::string_view text) {
  const auto id = Uuid::parse(text);
  if (!id) return refuse(Error{ErrorKind::kNotFound, "There is no such operation."});
  return store::OperationId(*id);
}

// Of another tenant: as if it were not there.
ApiResult<store::Operation> operation_of_path(const Call& call, store::Session& session) {
  const auto id = parse_id(call.parameter(0));
  if (!id) return refuse(id.error());
  auto operation = store::find_operation(session, *id);
  if (!operation && operation.error().kind != ErrorKind::kNotFound)
    return refuse(operation.error());
  const bool visible =
      operation && (call.principal.role != Role::kTenantAdmin ||
                    (operation->tenant && is_visible(call.principal, *operation->tenant)));
  if (!visible) return refuse(Error{ErrorKind::kNotFound, "There is no such operation."});
  return *std::move(operation);
}

ApiResult<std::optional<TenantId>> tenant_filter(const Call& call, store::Session& session) {
  if (call.principal.role == Role::kTenantAdmin) return call.principal.tenant;
  if (!call.query.has("tenant")) return std::nullopt;
  const auto tenant = store::find_tenant(session, call.query.text("tenant"));
  if (!tenant) return refuse(tenant.error());
  return tenant->id;
}

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto most = call.query.number("limit", kUsualPage, 1, kLargestPage);
    if (!most) return refuse(most.error());
    std::optional<store::OperationStatus> status;
    if (call.query.has("status")) {
      const auto parsed = store::parse_operation_status(call.query.text("status"));
      if (!parsed) return refuse(invalid_body(parsed.error().message));
      status = *parsed;
    }
    std::optional<store::OperationId> before;
    if (call.query.has("cursor")) {
      const auto parts = read_cursor(call.query.text("cursor"), 1);
      if (!parts) return refuse(parts.error());
      const auto id = Uuid::parse(parts->front());
      if (!id) return refuse(invalid_body("cursor: take it from the last page"));
      before = store::OperationId(*id);
    }
    const auto tenant = tenant_filter(call, session);
    if (!tenant) return refuse(tenant.error());
    auto operations =
        store::list_operations(session, *tenant, status, before, static_cast<uint32_t>(*most) + 1);
    if (!operations) return refuse(operations.error());
    std::optional<std::string> next;
    if (operations->size() > static_cast<size_t>(*most)) {
      operations->pop_back();
      next = write_cursor({operations->back().id.value().to_string()});
    }
    JsonArray items;
    for (const store::Operation& operation : *operations) items.push_back(to_json(operation));
    return Answer{.body = page_json(std::move(items), std::move(next))};
  });
}

ApiResult<Answer> show(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto operation = operation_of_path(call, session);
    if (!operation) return refuse(operation.error());
    return Answer{.body = to_json_text(to_json(*operation))};
  });
}

ApiResult<Answer> cancel(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto body = parse_optional_body(call.request);
    if (!body) return refuse(body.error());
    if (auto empty = JsonReader(*body).result(); !empty) return refuse(empty.error());
    const auto operation = operation_of_path(call, change);
    if (!operation) return refuse(operation.error());
    if (operation->status == store::OperationStatus::kRunning) {
      const auto cancelled = store::cancel_operation(change, operation->id);
      if (!cancelled) return refuse(cancelled.error());
    }
    const auto stored = store::find_operation(change, operation->id);
    if (!stored) return refuse(stored.error());
    return Answer{.body = to_json_text(to_json(*stored))};
  });
}

}  // namespace

void add_operation_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/operations",
                       .summary = "Operations, the newest first, a page at a time",
                       .access = {Role::kViewer, TenantAdmins::kFiltered},
                       .handler = answering(list),
                       .query = {"tenant", "status", "limit", "cursor"},
                       .response_schema = "OperationPage"});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/operations/{operation}",
                       .summary = "An operation with its progress",
                       .access = {Role::kViewer, TenantAdmins::kFiltered},
                       .handler = answering(show),
                       .response_schema = "Operation"});
  endpoints.push_back({.method = "POST",
                       .pattern = "/v1/operations/{operation}/cancel",
                       .summary = "Do not begin its next step; what it did stays",
                       .access = {Role::kOperator},
                       .handler = answering(cancel),
                       .request_schema = "Empty",
                       .response_schema = "Operation"});
}

}  // namespace partywall::admin
