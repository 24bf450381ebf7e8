#include "store/control/operations.h"

#include <algorithm>
#include <array>

#include "base/json_writer.h"

namespace partywall::store {
namespace {

struct StatusName {
  OperationStatus status;
  std::string_view name;
};
constexpr std::array<StatusName, 4> kStatusNames = {{{OperationStatus::kRunning, "running"},
                                                     {OperationStatus::kDone, "done"},
                                                     {OperationStatus::kFailed, "failed"},
                                                     {OperationStatus::kCancelled, "cancelled"}}};

constexpr std::string_view kSelect =
    "SELECT o.id, o.kind, o.tenant, o.subject, o.status, o.step, o.state, o.progress_done, "
    "o.progress_total, o.attempts, o.message, o.actor, o.reason, "
    "(extract(epoch FROM o.run_after) * 1000)::bigint, "
    "(extract(epoch FROM o.created_at) * 1000)::bigint, "
    "(extract(epoch FROM o.updated_at) * 1000)::bigint, o.version FROM partywall.operations o ";

std::string id_of(OperationId id) { return id.value().to_string(); }

std::optional<Uuid> to_uuid(TenantId tenant) { return tenant.value(); }

Result<Operation> read_operation(const postgres::Rows& rows, size_t row) {
  const auto id = Uuid::parse(rows.text(row, 0));
  if (!id) return std::unexpected(id.error());
  const auto status = parse_operation_status(rows.text(row, 4));
  if (!status) return std::unexpected(status.error());
  auto state = JsonValue::parse(rows.text(row, 6), {.max_bytes = 1 << 20});
  if (!state) return std::unexpected(state.error());
  Operation operation{.id = OperationId(*id),
                      .kind = std::string(rows.text(row, 1)),
                      .tenant = std::nullopt,
                      .subject = std::string(rows.text(row, 3)),
                      .status = *status,
                      .step = std::string(rows.text(row, 5)),
                      .state = *std::move(state),
                      .progress_done = rows.number(row, 7),
                      .progress_total = rows.number(row, 8),
                      .attempts = static_cast<uint32_t>(rows.number(row, 9)),
                      .message = std::string(rows.text(row, 10)),
                      .actor = std::string(rows.text(row, 11)),
                      .reason = std::string(rows.text(row, 12)),
                      .run_after = to_time(rows.number(row, 13)),
                      .created_at = to_time(rows.number(row, 14)),
                      .updated_at = to_time(rows.number(row, 15)),
                      .version = static_cast<uint64_t>(rows.number(row, 16))};
  if (!rows.is_null(row, 2)) {
    const auto tenant = Uuid::parse(rows.text(row, 2));
    if (!tenant) return std::unexpected(tenant.error());
    operation.tenant = TenantId(*tenant);
  }
  return operation;
}

Result<std::vector<Operation>> read_operations(const Result<postgres::Rows>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Operation> operations;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto operation = read_operation(*rows, row);
    if (!operation) return std::unexpected(operation.error());
    operations.push_back(*std::move(operation));
  }
  return operations;
}

Result<> note(Change& change, const Operation& operation, std::string_view what) {
  return change.note(fmt::format("operation.{}", what), operation.tenant.and_then(to_uuid),
                     operation.subject,
                     JsonValue(JsonObject{{"operation", JsonValue(id_of(operation.id))},
                                          {"kind", JsonValue(operation.kind)},
                                          {"step", JsonValue(operation.step)},
                                          {"message", JsonValue(operation.message)}}));
}

}  // namespace

std::string_view to_string(OperationStatus status) {
  return std::ranges::find(kStatusNames, status, &StatusName::status)->name;
}

Result<OperationStatus> parse_operation_status(std::string_view text) {
  const auto found = std::ranges::find(kStatusNames, text, &StatusName::name);
  if (found == kStatusNames.end())
    return fail(ErrorKind::kInvalid, "'{}' is no status of an operation", text);
  return found->status;
}

Result<> insert_operation(Change& change, const Operation& operation) {
  postgres::Parameter tenant;
  if (operation.tenant) tenant = operation.tenant->value().to_string();
  const auto inserted = change.execute(
      "INSERT INTO partywall.operations (id, kind, tenant, subject, status, step, state, "
      "progress_total, actor, reason) VALUES ($1::uuid, $2, $3::uuid, $4, 'running', $5, "
      "$6::jsonb, $7::bigint, $8, $9)",
      {id_of(operation.id), operation.kind, tenant, operation.subject, operation.step,
       to_json_text(operation.state), std::to_string(operation.progress_total),
       change.author().actor, change.author().reason});
  if (!inserted) return fail_with_context(operation.subject, inserted.error());
  return note(change, operation, "started");
}

Result<Operation> find_operation(Session& session, OperationId id) {
  const auto rows = session.execute(std::string(kSelect) + "WHERE o.id = $1::uuid", {id_of(id)});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no operation '{}'", id_of(id));
  return read_operation(*rows, 0);
}

Result<std::vector<Operation>> list_operations(Session& session, std::optional<TenantId> tenant,
                                               std::optional<OperationStatus> status,
                                               std::optional<OperationId> before, uint32_t most) {
  postgres::Parameter tenant_id;
  postgres::Parameter before_id;
  if (tenant) tenant_id = tenant->value().to_string();
  if (before) before_id = id_of(*before);
  return read_operations(session.execute(
      std::string(kSelect) +
          "WHERE ($1::uuid IS NULL OR o.tenant = $1::uuid) AND ($2 = '' OR o.status = $2) "
          "AND ($3::uuid IS NULL OR (o.created_at, o.id) < (SELECT b.created_at, b.id FROM "
          "partywall.operations b WHERE b.id = $3::uuid)) "
          "ORDER BY o.created_at DESC, o.id DESC LIMIT $4::int",
      {tenant_id, status ? std::string(to_string(*status)) : "", before_id, std::to_string(most)}));
}

Result<std::vector<Operation>> due_operations(Session& session, uint32_t most) {
  return read_operations(session.execute(
      std::string(kSelect) + "WHERE o.status = 'running' AND o.run_after <= clock_timestamp() "
                             "ORDER BY o.run_after, o.id LIMIT $1::int",
      {std::to_string(most)}));
}

Result<std::optional<Duration>> time_until_due(Session& session) {
  const auto rows = session.execute(
      "SELECT ceil(extract(epoch FROM min(run_after) - clock_timestamp()) * 1000)::bigint "
      "FROM partywall.operations WHERE status = 'running'");
  if (!rows) return std::unexpected(rows.error());
  if (rows->is_null(0)) return std::optional<Duration>();
  return std::optional<Duration>(milliseconds(std::max<int64_t>(0, rows->number(0))));
}

Result<> save_operation(Change& change, const Operation& operation, Duration wait) {
  const auto wait_ms = std::chrono::duration_cast<milliseconds>(wait).count();
  const auto saved = change.execute(
      "UPDATE partywall.operations SET status = $3, step = $4, state = $5::jsonb, "
      "progress_done = $6::bigint, progress_total = $7::bigint, attempts = $8::int, message = $9, "
      "run_after = clock_timestamp() + $10::bigint * interval '1 ms', "
      "updated_at = clock_timestamp(), version = version + 1 "
      "WHERE id = $1::uuid AND version = $2::bigint AND status = 'running'",
      {id_of(operation.id), std::to_string(operation.version),
       std::string(to_string(operation.status)), operation.step, to_json_text(operation.state),
       std::to_string(operation.progress_done), std::to_string(operation.progress_total),
       std::to_string(operation.attempts), operation.message, std::to_string(wait_ms)});
  if (!saved) return std::unexpected(saved.error());
  if (saved->affected() == 0) {
    return fail(ErrorKind::kConflict, "operation {} was changed meanwhile", id_of(operation.id));
  }
  const bool has_ended = operation.status != OperationStatus::kRunning;
  return note(change, operation, has_ended ? to_string(operation.status) : "progressed");
}

Result<> cancel_operation(Change& change, OperationId id) {
  auto operation = find_operation(change, id);
  if (!operation) return std::unexpected(operation.error());
  if (operation->status != OperationStatus::kRunning) {
    return fail(ErrorKind::kConflict, "operation {} is {} already", id_of(id),
                to_string(operation->status));
  }
  operation->status = OperationStatus::kCancelled;
  return save_operation(change, *operation, Duration::zero());
}

}  // namespace partywall::store
