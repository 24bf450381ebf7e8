#include "embedded/tour/visitor.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

namespace partywall::embedded {

fetch::Response Visitor::get(std::string_view path, const fetch::Headers& more_headers) {
  fetch::Request request{.url = fmt::format("http://{}{}", door_.to_string(), path),
                         .headers = {{"Authorization", "Bearer " + token_}},
                         .timeout = seconds(15)};
  request.headers.insert(request.headers.end(), more_headers.begin(), more_headers.end());
  auto answer = client_.send(request);
  if (answer) return *std::move(answer);
  return {.status = 0, .body = answer.error().message};
}

std::optional<std::map<std::string, int64_t>> Visitor::products(
    const fetch::Headers& more_headers) {
  const auto answer = get("/api/products?limit=500", more_headers);
  if (answer.status != 200) return std::nullopt;
  const auto document = JsonValue::parse(answer.body, {.max_bytes = size_t{1} << 20});
  const JsonArray* list = document ? document->as_array() : nullptr;
  if (!list) return std::nullopt;
  std::map<std::string, int64_t> products;
  for (const JsonValue& item : *list) {
    const std::string* name = item.find_string("name");
    const JsonValue* id = item.find("id");
    const auto number = id ? id->as_int64() : std::nullopt;
    if (!name || !number) return std::nullopt;
    products.emplace(*name, *number);
  }
  return products;
}

bool answers_health_check(const fleet::ObservedInstance& instance) {
  fetch::Client client;
  const auto answer =
      client.send({.url = fmt::format("http://{}/healthz", instance.endpoint.to_string()),
                   .timeout = seconds(1)});
  return answer && answer->status == 200;
}

size_t count_healthy_instances(const Endpoint& admin) {
  constexpr std::string_view kSample = "\npartywall_http_instances{health=\"up\"} ";
  fetch::Client client;
  const auto answer = client.send(
      {.url = fmt::format("http://{}/metrics", admin.to_string()), .timeout = seconds(1)});
  if (!answer || answer->status != 200) return 0;
  const size_t at = answer->body.find(kSample);
  if (at == std::string::npos) return 0;
  const std::string_view rest = std::string_view(answer->body).substr(at + kSample.size());
  return parse_unsigned(rest.substr(0, rest.find('\n'))).value_or(0);
}

std::string with_claim_of(const std::string& token, std::string_view tenant,
                          std::string_view other_tenant) {
  const size_t first = token.find('.');
  const size_t second = token.rfind('.');
  if (first == second) return {};
  auto claims = base64url_decode(std::string_view(token).substr(first + 1, second - first - 1));
  const size_t at = claims ? claims->find(tenant) : std::string::npos;
  if (at == std::string::npos) return {};
  claims->replace(at, tenant.size(), other_tenant);
  return token.substr(0, first + 1) + base64url_encode(*claims) + token.substr(second);
}

}  // namespace partywall::embedded
