#include "store/control/events.h"

namespace partywall::store {
namespace {

constexpr std::string_view kEventColumns =
    "e.id, (extract(epoch FROM e.at) * 1000)::bigint, e.type, e.tenant, e.subject, e.actor, e.data";

Result<Event> read_event(const postgres::Rows& rows, size_t row) {
  Event event{.id = rows.number(row, 0),
              .at = to_time(rows.number(row, 1)),
              .type = std::string(rows.text(row, 2)),
              .tenant = std::nullopt,
              .subject = std::string(rows.text(row, 4)),
              .actor = std::string(rows.text(row, 5)),
              .data = JsonValue()};
  if (!rows.is_null(row, 3)) {
    const auto id = Uuid::parse(rows.text(row, 3));
    if (!id) return std::unexpected(id.error());
    event.tenant = TenantId(*id);
  }
  auto data = JsonValue::parse(rows.text(row, 6));
  if (!data) return fail_with_context("event", data.error());
  event.data = *std::move(data);
  return event;
}

}  // namespace

Result<std::vector<Event>> events_after(Session& session, int64_t after, const EventFilter& filter,
                                        uint32_t most) {
  postgres::Parameter tenant;
  if (filter.tenant) tenant = filter.tenant->value().to_string();
  const auto rows =
      session.execute(fmt::format("SELECT {} FROM partywall.events e WHERE e.id > $1::bigint "
                                  "AND ($2::uuid IS NULL OR e.tenant = $2::uuid) "
                                  "AND ($3 = '' OR e.type = $3 OR starts_with(e.type, $3 || '.')) "
                                  "ORDER BY e.id LIMIT $4::int",
                                  kEventColumns),
                      {std::to_string(after), tenant, filter.type, std::to_string(most)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<Event> events;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto event = read_event(*rows, row);
    if (!event) return std::unexpected(event.error());
    events.push_back(*std::move(event));
  }
  return events;
}

Result<int64_t> last_event(Session& session) {
  const auto rows = session.execute(
      "SELECT greatest(h.event, (SELECT max(e.id) FROM partywall.events e)) FROM partywall.head h");
  if (!rows) return std::unexpected(rows.error());
  return rows->number(0);
}

Result<std::vector<AuditEntry>> audit_outbox(Session& session, uint32_t most) {
  const auto rows = session.execute(
      fmt::format("SELECT {}, a.reason, a.request_id, a.address FROM partywall.audit_outbox a "
                  "JOIN partywall.events e ON e.id = a.event ORDER BY e.id LIMIT $1::int",
                  kEventColumns),
      {std::to_string(most)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<AuditEntry> entries;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto event = read_event(*rows, row);
    if (!event) return std::unexpected(event.error());
    entries.push_back({.event = *std::move(event),
                       .reason = std::string(rows->text(row, 7)),
                       .request_id = std::string(rows->text(row, 8)),
                       .address = std::string(rows->text(row, 9))});
  }
  return entries;
}

Result<> remove_from_audit_outbox(Change& change, int64_t up_to_event) {
  const auto removed =
      change.execute("DELETE FROM partywall.audit_outbox WHERE event <= $1::bigint",
                     {std::to_string(up_to_event)});
  if (!removed) return std::unexpected(removed.error());
  return {};
}

}  // namespace partywall::store
