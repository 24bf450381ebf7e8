#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/access.h"
#include "store/control/cells.h"

// Routes: which pool serves which paths. In a URL the prefix is one encoded segment: /v1/routes/%2F
namespace partywall::admin {
namespace {

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto routes = store::list_routes(session);
    if (!routes) return refuse(routes.error());
    JsonArray items;
    for (const store::RouteRecord& route : *routes) items.push_back(to_json(route));
    return Answer{.body = page_json(std::move(items), std::nullopt)};
  });
}

ApiResult<Answer> answer_with(store::Session& session, std::string_view prefix, uint16_t status) {
  const auto route = store::find_route(session, prefix);
  if (!route) return refuse(route.error());
  return Answer{.status = status, .body = to_json_text(to_json(*route)), .version = route->version};
}

ApiResult<Answer> show(const Call& call) {
  return read(
      call, [&](store::Session& session) { return answer_with(session, call.parameter(0), 200); });
}

// Every cell that has pools must have the route's, or its tenants would get 404.
ApiResult<> check_pool(store::Session& session, const std::string& pool) {
  const auto cells = store::list_cells(session);
  if (!cells) return refuse(cells.error());
  for (const store::CellRecord& cell : *cells) {
    if (!cell.cell.pools.empty() && !cell.cell.find_pool(pool)) {
      return refuse(Error{
          ErrorKind::kInvalid,
          fmt::format("cell '{}' has no pool '{}'; add it there first", cell.cell.name, pool)});
    }
  }
  return {};
}

ApiResult<Route> read_route(const Call& call) {
  const auto body = parse_body(call.request);
  if (!body) return refuse(body.error());
  JsonReader reader(*body);
  Route route{.path_prefix = call.parameter(0),
              .pool = reader.required_text("pool"),
              .authenticated = reader.flag("authenticated").value_or(true)};
  if (auto done = reader.result(); !done) return refuse(done.error());
  if (!route.path_prefix.starts_with('/'))
    return refuse(Error{ErrorKind::kInvalid, "a path prefix begins with '/' (%2F in the URL)"});
  return route;
}

ApiResult<Answer> put(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto route = read_route(call);
    if (!route) return refuse(route.error());
    const auto before = store::find_route(change, route->path_prefix);
    if (!before && before.error().kind != ErrorKind::kNotFound) return refuse(before.error());
    if (before) {
      if (auto match = check_if_match(call, before->version); !match) return refuse(match.error());
    } else if (call.request.header("If-Match")) {
      return refuse(
          precondition_failed("There is no such route yet; send no If-Match to make it."));
    }
    if (auto known = check_pool(change, route->pool); !known) return refuse(known.error());
    if (auto stored = store::put_route(change, *route); !stored) return refuse(stored.error());
    return answer_with(change, route->path_prefix, before ? 200 : 201);
  });
}

ApiResult<Answer> remove(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto route = store::find_route(change, call.parameter(0));
    if (!route) return refuse(route.error());
    if (auto match = check_if_match(call, route->version); !match) return refuse(match.error());
    const auto removed = store::remove_route(change, call.parameter(0));
    if (!removed) return refuse(removed.error());
    return Answer{.status = 204};
  });
}

}  // namespace

void add_route_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/routes",
                       .summary = "All routes",
                       .access = {Role::kViewer},
                       .handler = answering(list),
                       .response_schema = "RoutePage"});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/routes/{path_prefix}",
                       .summary = "A route; its prefix is one encoded segment",
                       .access = {Role::kViewer},
                       .handler = answering(show),
                       .response_schema = "Route"});
  endpoints.push_back({.method = "PUT",
                       .pattern = "/v1/routes/{path_prefix}",
                       .summary = "Make a route (201) or replace it",
                       .access = {Role::kOwner},
                       .handler = answering(put),
                       .request_schema = "RouteBody",
                       .response_schema = "Route",
                       .if_match = IfMatch::kRequired});
  endpoints.push_back({.method = "DELETE",
                       .pattern = "/v1/routes/{path_prefix}",
                       .summary = "Remove a route",
                       .access = {Role::kOwner},
                       .handler = answering(remove),
                       .success = 204,
                       .if_match = IfMatch::kRequired});
}

}  // namespace partywall::admin
