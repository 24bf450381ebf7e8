#include "admin/fleet_control.h"

#include "admin/api/json_body.h"

namespace partywall::admin {
namespace {

constexpr int64_t kMostInstances = 100'000;

bool may_operate(const Request& request, const Secret& token) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto authorization = request.header("Authorization");
  return !token.empty() && authorization && authorization->starts_with(kScheme) &&
         token.equals(authorization->substr(kScheme.size()));
}

Response answer(const Result<>& done) {
  if (done) return {.status = 204};
  return to_response(ApiError(done.error()));
}

ApiResult<uint32_t> read_count(const Request& request) {
  const auto body = parse_body(request);
  if (!body) return std::unexpected(body.error());
  JsonReader reader(*body);
  const auto count = reader.number("count", 0, kMostInstances);
  if (auto valid = reader.result(); !valid) return std::unexpected(valid.error());
  if (!count) return refuse(invalid_body("'count' is missing: how many instances there are to be"));
  return static_cast<uint32_t>(*count);
}

template <class Item>
std::string list_of(std::string_view name, const std::vector<Item>& items) {
  std::string out = fmt::format("{{\"{}\":[", name);
  for (const Item& item : items) {
    if (&item != &items.front()) out += ',';
    out += fleet::to_json(item);
  }
  return out + "]}\n";
}

}  // namespace

void add_fleet_handlers(Router& router, fleet::FleetLoop& loop, const Secret& operator_token) {
  const auto operate = [&router, &operator_token](std::string_view verb, auto act) {
    router.add("POST", fmt::format("/fleet/{{cell}}/{{pool}}/{}", verb),
               [&operator_token, act](const Request& request) {
                 if (may_operate(request, operator_token)) return act(request);
                 return to_response(not_authenticated(
                     "changing the fleet takes the operator's token, which is in the file "
                     "operator.token of the fleet's directory"));
               });
  };
  router.add("GET", "/fleet",
             [&loop](const Request&) { return Response{.body = list_of("pools", loop.status())}; });
  router.add("GET", "/fleet/{cell}/{pool}/events", [&loop](const Request& request) {
    const auto events = loop.history(request.parameters[0], request.parameters[1]);
    if (!events) return to_response(ApiError(events.error()));
    return Response{.body = list_of("events", *events)};
  });
  operate("scale", [&loop](const Request& request) {
    const auto count = read_count(request);
    if (!count) return to_response(count.error());
    return answer(loop.scale(request.parameters[0], request.parameters[1], *count));
  });
  operate("pause", [&loop](const Request& request) {
    return answer(loop.pause(request.parameters[0], request.parameters[1]));
  });
  operate("resume", [&loop](const Request& request) {
    return answer(loop.resume(request.parameters[0], request.parameters[1]));
  });
}

}  // namespace partywall::admin
