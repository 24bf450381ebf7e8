#include "admin/api/endpoint.h"
#include "admin/api/resource_json.h"
#include "base/rfc3339.h"

// The nodes that serve, and which directory each has.
namespace partywall::admin {
namespace {

ApiResult<JsonValue> read_row(const postgres::Rows& rows, size_t row) {
  auto doors = JsonValue::parse(rows.text(row, 3));
  if (!doors) return refuse(Error{ErrorKind::kInternal, doors.error().message});
  return JsonValue(
      JsonObject{{"name", JsonValue(std::string(rows.text(row, 0)))},
                 {"directory_version", JsonValue(rows.number(row, 1))},
                 {"release", JsonValue(std::string(rows.text(row, 2)))},
                 {"doors", *std::move(doors)},
                 {"started_at", JsonValue(format_rfc3339(store::to_time(rows.number(row, 4))))},
                 {"seen_at", JsonValue(format_rfc3339(store::to_time(rows.number(row, 5))))}});
}

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto rows = session.execute(
        "SELECT name, directory_version, release, doors, "
        "(extract(epoch FROM started_at) * 1000)::bigint, "
        "(extract(epoch FROM seen_at) * 1000)::bigint FROM partywall.nodes ORDER BY name");
    if (!rows) return refuse(rows.error());
    JsonArray items;
    for (size_t row = 0; row < rows->size(); ++row) {
      auto item = read_row(*rows, row);
      if (!item) return refuse(item.error());
      items.push_back(*std::move(item));
    }
    return Answer{.body = page_json(std::move(items), std::nullopt)};
  });
}

}  // namespace

void add_node_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/nodes",
                       .summary = "Nodes, with the directory that each serves",
                       .access = {Role::kViewer},
                       .handler = answering(list),
                       .response_schema = "NodePage"});
}

}  // namespace partywall::admin
