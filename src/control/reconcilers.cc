#include "control/reconcilers.h"

#include "store/control/cells.h"
#include "store/control/directory_documents.h"
#include "store/control/idempotency.h"
#include "store/control/tenants.h"
#include "store/control/usage.h"
#include "tenancy/life_cycle.h"

namespace partywall::control {
namespace {

constexpr uint64_t kVersionsKept = 100'000;
constexpr Duration kAnswersKept = hours(24);
constexpr const char* kForgotten =
    "SELECT t.id, t.slug FROM partywall.tenants t "
    "JOIN partywall.placements p ON p.tenant = t.id AND p.role = 'current' "
    "WHERE t.status IN ('requested', 'provisioning') AND NOT EXISTS (SELECT FROM "
    "partywall.operations o WHERE o.tenant = t.id AND o.status = 'running') "
    "ORDER BY t.created_at, t.id LIMIT 100";
constexpr const char* kGraceOver =
    "SELECT id FROM partywall.tenants WHERE status = 'offboarding' AND NOT legal_hold "
    "AND grace_ends_at <= now() ORDER BY id LIMIT 100";

Result<std::vector<TenantId>> ids_of(const Result<postgres::Rows>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<TenantId> ids;
  for (size_t row = 0; row < rows->size(); ++row) {
    const auto id = Uuid::parse(rows->text(row, 0));
    if (!id) return std::unexpected(id.error());
    ids.emplace_back(*id);
  }
  return ids;
}

Result<> begin_erasure(store::Change& change, TenantId id) {
  const auto tenant = store::find_tenant(change, id);
  if (!tenant) return std::unexpected(tenant.error());
  const LifeCycleStep moved = step({.status = tenant->status, .legal_hold = tenant->legal_hold},
                                   TenantCommand::kErase, {.is_grace_over = true});
  if (moved.outcome != StepOutcome::kMoved) return {};
  return store::set_tenant_state(change, id, moved.next.status, moved.next.legal_hold,
                                 tenant->grace_ends_at, "tenant.erasing");
}

// Is there anything at all? Asked first, so that a leader that has nothing to do writes nothing.
Result<bool> has_rows(store::ControlStore& store, const std::string& query) {
  auto session = store.session();
  if (!session) return std::unexpected(session.error());
  const auto rows = session->execute(query);
  if (!rows) return std::unexpected(rows.error());
  return !rows->empty();
}

}  // namespace

Result<size_t> start_forgotten_provisioning(store::ControlStore& store, const store::Author& author,
                                            int64_t fence, const OperationMachine& provisioning,
                                            Random& random) {
  const auto any = has_rows(store, kForgotten);
  if (!any) return std::unexpected(any.error());
  if (!*any) return size_t{0};
  return store.change_as_leader(author, fence, [&](store::Change& change) -> Result<size_t> {
    const auto rows = change.execute(kForgotten);
    const auto ids = ids_of(rows);
    if (!ids) return std::unexpected(ids.error());
    for (size_t i = 0; i < ids->size(); ++i) {
      auto started = store::insert_operation(
          change, make_operation(provisioning, (*ids)[i], std::string(rows->text(i, 1)), random));
      if (!started) return std::unexpected(started.error());
    }
    return ids->size();
  });
}

Result<size_t> end_overrides(store::ControlStore& store, const store::Author& author,
                             int64_t fence) {
  const auto any =
      has_rows(store, "SELECT FROM partywall.overrides WHERE expires_at <= now() LIMIT 1");
  if (!any) return std::unexpected(any.error());
  if (!*any) return size_t{0};
  return store.change_as_leader(author, fence, [](store::Change& change) -> Result<size_t> {
    const auto removed = store::remove_expired_overrides(change);
    if (!removed) return std::unexpected(removed.error());
    return static_cast<size_t>(*removed);
  });
}

Result<size_t> end_grace_periods(store::ControlStore& store, const store::Author& author,
                                 int64_t fence) {
  const auto any = has_rows(store, kGraceOver);
  if (!any) return std::unexpected(any.error());
  if (!*any) return size_t{0};
  return store.change_as_leader(author, fence, [](store::Change& change) -> Result<size_t> {
    const auto ids = ids_of(change.execute(kGraceOver));
    if (!ids) return std::unexpected(ids.error());
    for (const TenantId id : *ids) {
      if (auto begun = begin_erasure(change, id); !begun) return std::unexpected(begun.error());
    }
    return ids->size();
  });
}

Result<> tell_usage(store::ControlStore& store, const store::Author& author, int64_t fence) {
  auto session = store.session();
  if (!session) return std::unexpected(session.error());
  const auto due = store::usage_hour_to_tell(*session);
  if (!due) return std::unexpected(due.error());
  if (!*due) return {};
  return store.change_as_leader(
      author, fence, [&](store::Change& change) { return store::tell_usage_hour(change, **due); });
}

Result<> reconcile_engines(store::ControlStore& store, Engines& engines) {
  auto session = store.session();
  if (!session) return std::unexpected(session.error());
  const auto cells = store::list_cells(*session);
  if (!cells) return std::unexpected(cells.error());
  Result<> first;
  for (const store::CellRecord& cell : *cells) {
    auto done = engines.provision_cache(*session, cell);
    if (!done && first) first = done;
  }
  return first;
}

Result<> forget_the_old(store::ControlStore& store, const store::Author& author, int64_t fence) {
  return store.change_as_leader(author, fence, [](store::Change& change) -> Result<> {
    if (auto trimmed = store::trim_changes(change, kVersionsKept); !trimmed) return trimmed;
    const auto removed = store::remove_old_answers(change, kAnswersKept);
    if (!removed) return std::unexpected(removed.error());
    return store::age_usage(change);
  });
}

}  // namespace partywall::control
