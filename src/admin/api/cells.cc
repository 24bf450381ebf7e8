#include "store/control/cells.h"

#include "admin/api/cell_body.h"
#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/tenants.h"
#include "tenancy/placement.h"

// Cells: shared and dedicated ones side by side; adding, draining, removing.
namespace partywall::admin {
namespace {

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto cells = store::list_cells(session);
    if (!cells) return refuse(cells.error());
    JsonArray items;
    for (const store::CellRecord& cell : *cells) items.push_back(to_json(cell));
    return Answer{.body = page_json(std::move(items), std::nullopt)};
  });
}

ApiResult<Answer> answer_with(store::Session& session, std::string_view name, uint16_t status) {
  const auto cell = store::find_cell(session, name);
  if (!cell) return refuse(cell.error());
  return Answer{.status = status, .body = to_json_text(to_json(*cell)), .version = cell->version};
}

ApiResult<Answer> show(const Call& call) {
  return read(
      call, [&](store::Session& session) { return answer_with(session, call.parameter(0), 200); });
}

// Whoever is in the cell must be allowed to stay there.
ApiResult<> check_tenants(store::Session& session, const store::CellRecord& cell) {
  store::TenantCursor after;
  while (true) {
    const auto tenants =
        store::list_tenants(session, {.cell = cell.cell.name}, after, kLargestPage);
    if (!tenants) return refuse(tenants.error());
    for (const store::TenantRecord& tenant : *tenants) {
      if (tenant.region.empty() || tenant.region == cell.cell.region) continue;
      return refuse(conflict(fmt::format("tenant {} must stay in region '{}' and is in the cell",
                                         tenant.slug, tenant.region)));
    }
    if (tenants->size() < static_cast<size_t>(kLargestPage)) return {};
    after = {.slug = tenants->back().slug, .id = tenants->back().id};
  }
}

ApiResult<Answer> put(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto body = parse_body(call.request);
    if (!body) return refuse(body.error());
    const std::string& name = call.parameter(0);
    const auto before = store::find_cell(change, name);
    if (!before && before.error().kind != ErrorKind::kNotFound) return refuse(before.error());
    if (before) {
      if (auto match = check_if_match(call, before->version); !match) return refuse(match.error());
    } else if (call.request.header("If-Match")) {
      return refuse(precondition_failed("There is no such cell yet; send no If-Match to make it."));
    }
    const auto cell = read_cell(*body, name, before ? &*before : nullptr);
    if (!cell) return refuse(cell.error());
    if (before) {
      if (auto stay = check_tenants(change, *cell); !stay) return refuse(stay.error());
    }
    if (auto stored = store::put_cell(change, *cell); !stored) return refuse(stored.error());
    return answer_with(change, name, before ? 200 : 201);
  });
}

ApiResult<Answer> set_state(const Call& call, CellState state) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto body = parse_optional_body(call.request);
    if (!body) return refuse(body.error());
    if (auto empty = JsonReader(*body).result(); !empty) return refuse(empty.error());
    const auto cell = store::find_cell(change, call.parameter(0));
    if (!cell) return refuse(cell.error());
    if (auto match = check_if_match_given(call, cell->version); !match)
      return refuse(match.error());
    if (cell->state != to_string(state)) {
      const auto set = store::set_cell_state(change, cell->cell.name, to_string(state));
      if (!set) return refuse(set.error());
    }
    return answer_with(change, cell->cell.name, 200);
  });
}

ApiResult<Answer> remove(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto cell = store::find_cell(change, call.parameter(0));
    if (!cell) return refuse(cell.error());
    if (auto match = check_if_match(call, cell->version); !match) return refuse(match.error());
    const auto removed = store::remove_cell(change, call.parameter(0));
    if (!removed) return refuse(removed.error());
    return Answer{.status = 204};
  });
}

void add_state_endpoint(ApiEndpoints& endpoints, std::string_view pattern, std::string_view summary,
                        CellState state) {
  endpoints.push_back(
      {.method = "POST",
       .pattern = pattern,
       .summary = summary,
       .access = {Role::kOperator},
       .handler = answering([state](const Call& call) { return set_state(call, state); }),
       .request_schema = "Empty",
       .response_schema = "Cell",
       .if_match = IfMatch::kOptional});
}

}  // namespace

void add_cell_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/cells",
                       .summary = "All cells, without their secrets",
                       .access = {Role::kViewer},
                       .handler = answering(list),
                       .response_schema = "CellPage"});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/cells/{cell}",
                       .summary = "A cell, without its secrets",
                       .access = {Role::kViewer},
                       .handler = answering(show),
                       .response_schema = "Cell"});
  endpoints.push_back({.method = "PUT",
                       .pattern = "/v1/cells/{cell}",
                       .summary = "Add a cell (201) or replace it; secrets that are not given stay",
                       .access = {Role::kOwner},
                       .handler = answering(put),
                       .request_schema = "CellBody",
                       .response_schema = "Cell",
                       .if_match = IfMatch::kRequired});
  endpoints.push_back({.method = "DELETE",
                       .pattern = "/v1/cells/{cell}",
                       .summary = "Remove a cell that holds no tenant",
                       .access = {Role::kOwner},
                       .handler = answering(remove),
                       .success = 204,
                       .if_match = IfMatch::kRequired});
  add_state_endpoint(endpoints, "/v1/cells/{cell}/drain",
                     "Drain: it keeps its tenants and takes no more", CellState::kDraining);
  add_state_endpoint(endpoints, "/v1/cells/{cell}/activate", "Let it take tenants again",
                     CellState::kActive);
}

}  // namespace partywall::admin
