#include "store/control/cells.h"

#include "base/json_writer.h"
#include "store/control/cell_caches.h"
#include "store/control/cell_document.h"
#include "store/control/expected_version.h"

namespace partywall::store {
namespace {

std::string title_of(std::string_view name) { return fmt::format("cell '{}'", name); }

// With the number of its tenants, which is no part of the directory.
constexpr std::string_view kSelect =
    "SELECT {}, (SELECT count(DISTINCT p.tenant) FROM partywall.placements p "
    "WHERE p.cell = t.name) FROM partywall.cells t ";

Result<CellRecord> read_cell(const postgres::Rows& rows, size_t row, const SealingKey& key) {
  const auto document = JsonValue::parse(rows.text(row, 0), {.max_bytes = 16 << 20});
  if (!document) return fail_with_context("cell", document.error());
  auto record = read_cell_document(*document, key);
  if (record) record->tenants = static_cast<uint32_t>(rows.number(row, 1));
  return record;
}

std::string_view kind_of(const Cell& cell) {
  return cell.kind == CellKind::kDedicated ? "dedicated" : "shared";
}

// What is noted of a cell: no addresses of engines, no secrets.
JsonValue summary_of(const CellRecord& record) {
  return JsonValue(JsonObject{{"kind", JsonValue(std::string(kind_of(record.cell)))},
                              {"region", JsonValue(record.cell.region)},
                              {"state", JsonValue(record.state)}});
}

}  // namespace

Result<std::vector<CellRecord>> list_cells(Session& session) {
  const auto rows =
      session.execute(fmt::format(fmt::runtime(kSelect), cell_document_sql()) + "ORDER BY t.name");
  if (!rows) return std::unexpected(rows.error());
  std::vector<CellRecord> cells;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto cell = read_cell(*rows, row, session.node_key());
    if (!cell) return std::unexpected(cell.error());
    cells.push_back(*std::move(cell));
  }
  return cells;
}

Result<CellRecord> find_cell(Session& session, std::string_view name) {
  const auto rows =
      session.execute(fmt::format(fmt::runtime(kSelect), cell_document_sql()) + "WHERE t.name = $1",
                      {std::string(name)});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no {}", title_of(name));
  return read_cell(*rows, 0, session.node_key());
}

Result<> put_cell(Change& change, const CellRecord& record, ExpectedVersion expected) {
  const Cell& cell = record.cell;
  if (auto valid = check_slug(cell.name); !valid) return valid;
  const auto version = version_of(change, "cells", "name", cell.name);
  if (!version) return std::unexpected(version.error());
  if (auto checked = check_version(title_of(cell.name), *version, expected); !checked)
    return checked;
  const auto put = change.execute(
      "INSERT INTO partywall.cells (name, kind, region, state, max_tenants, parts, "
      "sealed_secrets) VALUES ($1, $2, $3, $4, $5::int, $6::jsonb, $7::jsonb) "
      "ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, region = excluded.region, "
      "state = excluded.state, max_tenants = excluded.max_tenants, parts = excluded.parts, "
      "sealed_secrets = excluded.sealed_secrets",
      {cell.name, std::string(kind_of(cell)), cell.region, record.state,
       std::to_string(record.max_tenants), to_json_text(cell_parts(cell)),
       to_json_text(sealed_cell_secrets(cell, change.node_key(), change.random()))});
  if (!put) return fail_with_context(title_of(cell.name), put.error());
  if (auto caches = put_cell_caches(change, cell); !caches)
    return fail_with_context(title_of(cell.name), caches.error());
  return change.note(*version == 0 ? "cell.created" : "cell.updated", std::nullopt, cell.name,
                     summary_of(record));
}

Result<> set_cell_state(Change& change, std::string_view name, std::string_view state,
                        ExpectedVersion expected) {
  const auto version = version_of(change, "cells", "name", name);
  if (!version) return std::unexpected(version.error());
  if (*version == 0) return fail(ErrorKind::kNotFound, "there is no {}", title_of(name));
  if (auto checked = check_version(title_of(name), *version, expected); !checked) return checked;
  const auto set = change.execute("UPDATE partywall.cells SET state = $2 WHERE name = $1",
                                  {std::string(name), std::string(state)});
  if (!set) return fail_with_context(title_of(name), set.error());
  return change.note("cell.state_changed", std::nullopt, name,
                     JsonValue(JsonObject{{"state", JsonValue(std::string(state))}}));
}

Result<> remove_cell(Change& change, std::string_view name, ExpectedVersion expected) {
  auto removed = remove_row(change, "cells", "name", name, title_of(name), expected);
  if (!removed) return removed;
  return change.note("cell.deleted", std::nullopt, name, JsonValue(JsonObject()));
}

}  // namespace partywall::store
