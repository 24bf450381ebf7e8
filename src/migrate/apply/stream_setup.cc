#include "migrate/apply/stream_setup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "migrate/apply/read_stream_tables.h"
#include "migrate/apply/stream_names.h"
#include "migrate/copy/stream_progress.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::quote_identifier;

std::unexpected<Error> at(std::string_view end, const Error& cause) {
  return fail_with_context(end, cause);
}

std::string quoted(const std::pair<std::string, std::string>& table) {
  return quote_identifier(table.first) + "." + quote_identifier(table.second);
}

Result<> check_settings(Connection& source) {
  const auto level = source.execute("SHOW wal_level");
  if (!level) return at("source", level.error());
  if (level->text(0) == "logical") return {};
  return fail(ErrorKind::kConflict,
              "the source has wal_level = {}, and changes can be followed with logical only. Set "
              "wal_level = logical and restart it",
              level->text(0));
}

Result<StreamState> read_state(Connection& source, Connection& target, const std::string& name) {
  StreamState state;
  const auto slot = source.execute(
      "SELECT coalesce(wal_status = 'lost', false), coalesce(confirmed_flush_lsn, '0/0') "
      "FROM pg_catalog.pg_replication_slots "
      "WHERE slot_name = $1",
      {name});
  if (!slot) return at("source", slot.error());
  if (!slot->empty()) {
    const auto confirmed = parse_lsn(slot->text(0, 1));
    if (!confirmed) return std::unexpected(confirmed.error());
    state.slot = StreamState::Slot{.is_lost = slot->is_true(0), .confirmed = *confirmed};
  }
  const auto progress = target.execute(
      "SELECT coalesce(pg_catalog.pg_replication_origin_progress($1, false), '0/0') "
      "WHERE pg_catalog.pg_replication_origin_oid($1) IS NOT NULL",
      {name});
  if (!progress) return at("target", progress.error());
  if (progress->empty()) return state;
  const auto lsn = parse_lsn(progress->text(0));
  if (!lsn) return std::unexpected(lsn.error());
  state.progress = *lsn;
  return state;
}

Result<> make_publication(Connection& source, const StreamPlan& plan) {
  std::vector<std::string> tables;
  for (const auto& table : plan.publication.tables) tables.push_back(quoted(table));
  // Partitions under their own names: with publish_via_partition_root a TRUNCATE of one of them
  // would be lost.
  const std::string name = quote_identifier(plan.name);
  const auto made = source.execute_script(fmt::format(
      "SET LOCAL lock_timeout = 10000; DROP PUBLICATION IF EXISTS {0}; "
      "CREATE PUBLICATION {0} FOR TABLE {1} WITH (publish = 'insert, update, delete, truncate', "
      "publish_via_partition_root = false)",
      name, fmt::join(tables, ", ")));
  if (!made) return at("source: making the publication", made.error());
  return {};
}

// A table that joins later would lack the rows that were written before.
Result<> check_publication(Connection& source, const StreamPlan& plan) {
  const auto names = read_published_tables(source, plan.name);
  if (!names) return at("source", names.error());
  for (const auto& table : plan.publication.tables) {
    if (names->contains(table)) continue;
    return fail(ErrorKind::kConflict,
                "table {}.{} was not there when the stream {} began, so that its first rows are "
                "not in it. Begin anew (partywall migrate forget, then copy again), or exclude the "
                "table in the rules and copy it by itself",
                table.first, table.second, plan.name);
  }
  return {};
}

Result<> drop_slot(Connection& source, const std::string& name) {
  const auto dropped = source.execute("SELECT pg_catalog.pg_drop_replication_slot($1)", {name});
  if (dropped) return {};
  if (dropped.error().sqlstate == "55006") {
    return fail(ErrorKind::kConflict,
                "the replication slot {} is in use: the stream is running. Stop it first", name);
  }
  return at("source", dropped.error());
}

// Whoever was making it was killed, and its server process may not have noticed yet.
Result<> drop_interrupted(Connection& source, const std::string& name,
                          const OnWaiting& on_waiting) {
  constexpr int kMaxTries = 50;
  for (int tries = 1;; ++tries) {
    auto dropped = drop_slot(source, name);
    const bool is_in_use = !dropped && dropped.error().kind == ErrorKind::kConflict;
    if (!is_in_use || tries == kMaxTries || !on_waiting({})) return dropped;
    if (auto slept = source.execute("SELECT pg_catalog.pg_sleep(0.2)"); !slept)
      return at("source", slept.error());
  }
}

// The commit of a transaction with an id is on disk when it returns, and with it what came before.
Result<> remember_beginning(Connection& target, const std::string& name, Lsn lsn) {
  const auto done =
      target.execute_script(fmt::format("SET LOCAL synchronous_commit = on; SELECT "
                                        "pg_catalog.pg_replication_origin_advance({}, '{}'); "
                                        "SELECT pg_catalog.pg_current_xact_id()",
                                        postgres::quote_literal(name), to_string(lsn)));
  if (!done) return at("target", done.error());
  return {};
}

Result<NewSlot> begin_stream(Connection& source, Connection& target, const StreamSettings& settings,
                             const StreamPlan& plan, const OnWaiting& on_waiting) {
  if (auto forgotten = forget_beginnings(target, settings.tenant); !forgotten)
    return fail_with_context("target", forgotten.error());
  const auto origin = target.execute(
      "SELECT pg_catalog.pg_replication_origin_create($1) "
      "WHERE pg_catalog.pg_replication_origin_oid($1) IS NULL",
      {plan.name});
  if (!origin) return at("target: making the replication origin", origin.error());
  if (auto made = make_publication(source, plan); !made) return std::unexpected(made.error());
  auto slot = NewSlot::create(settings.source, plan.name,
                              [&] { return on_waiting(open_transactions(source)); });
  if (!slot) return slot;
  if (auto done = remember_beginning(target, plan.name, slot->slot().consistent_lsn); !done)
    return std::unexpected(done.error());
  return slot;
}

}  // namespace

std::vector<std::string> open_transactions(Connection& source) {
  const auto rows = source.execute(
      "SELECT format('%s of %s, since %s', pid, usename, date_trunc('second', xact_start)) "
      "FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() "
      "ORDER BY xact_start LIMIT 10");
  std::vector<std::string> found;
  for (size_t i = 0; rows && i < rows->size(); ++i) found.emplace_back(rows->text(i));
  return found;
}

Result<StreamPlan> plan_stream(Connection& source, Connection& target,
                               const StreamSettings& settings) {
  if (auto fine = check_versions(source.server_version(), target.server_version()); !fine)
    return std::unexpected(fine.error());
  if (auto fine = check_settings(source); !fine) return std::unexpected(fine.error());
  StreamPlan plan;
  plan.source_version = source.server_version();
  plan.tenant.tenant = settings.tenant;
  const auto source_shared = is_shared(source);
  if (!source_shared) return at("source", source_shared.error());
  const auto target_shared = is_shared(target);
  if (!target_shared) return at("target", target_shared.error());
  if (*source_shared) plan.tenant.source = settings.tenant_column;
  if (*target_shared) plan.tenant.target = settings.tenant_column;
  const auto source_identity = read_database_identity(source);
  if (!source_identity) return at("source", source_identity.error());
  const auto target_identity = read_database_identity(target);
  if (!target_identity) return at("target", target_identity.error());
  plan.name = stream_name(settings.tenant, *target_identity);
  plan.reverse_name = stream_name(settings.tenant, *source_identity);
  if (plan.name == plan.reverse_name)
    return fail(ErrorKind::kInvalid, "source and target are the same database");
  auto begins = settings.rows == CopiedRows::kUnderWay
                    ? read_beginnings_so_far(target, settings.tenant, *source_identity)
                    : read_beginnings(target, settings.tenant, *source_identity);
  if (!begins) return std::unexpected(begins.error());
  plan.begins = *std::move(begins);
  auto source_tables = read_stream_tables(source);
  if (!source_tables) return at("source", source_tables.error());
  plan.source_tables = *std::move(source_tables);
  auto target_tables = read_stream_tables(target);
  if (!target_tables) return at("target", target_tables.error());
  plan.target_tables = *std::move(target_tables);
  plan.publication =
      plan_publication(plan.source_tables, plan.target_tables, plan.tenant, settings.left_out);
  if (plan.publication.refusals.empty()) return plan;
  return fail(ErrorKind::kConflict, "the changes cannot be followed:\n  {}",
              fmt::join(plan.publication.refusals, "\n  "));
}

Result<StreamPlan> plan_resumption(Connection& source, Connection& target,
                                   const StreamSettings& settings) {
  auto plan = plan_stream(source, target, settings);
  if (!plan) return plan;
  const auto state = read_state(source, target, plan->name);
  if (!state) return std::unexpected(state.error());
  const auto start = decide_start(*state, plan->name);
  if (!start) return std::unexpected(start.error());
  if (*start != StreamStart::kResume) {
    return fail(ErrorKind::kConflict,
                "the stream {} was given up while it was followed: somebody else called partywall "
                "migrate forget. Begin anew, and copy the rows again",
                plan->name);
  }
  if (auto fine = check_publication(source, *plan); !fine) return std::unexpected(fine.error());
  return plan;
}

Result<Preparation> prepare_stream(Connection& source, Connection& target,
                                   const StreamSettings& settings, const StreamPlan& plan,
                                   const OnWaiting& on_waiting) {
  const auto state = read_state(source, target, plan.name);
  if (!state) return std::unexpected(state.error());
  const auto start = decide_start(*state, plan.name);
  if (!start) return std::unexpected(start.error());
  Preparation prepared{.start = *start, .slot = std::nullopt};
  if (*start == StreamStart::kResume) {
    if (auto fine = check_publication(source, plan); !fine) return std::unexpected(fine.error());
    return prepared;
  }
  if (*start == StreamStart::kInterrupted) {
    if (auto dropped = drop_interrupted(source, plan.name, on_waiting); !dropped)
      return std::unexpected(dropped.error());
  }
  auto slot = begin_stream(source, target, settings, plan, on_waiting);
  if (!slot) return std::unexpected(slot.error());
  prepared.slot = *std::move(slot);
  return prepared;
}

Result<std::vector<std::string>> forget_stream(Connection& source, Connection& target,
                                               const Uuid& tenant) {
  const auto identity = read_database_identity(target);
  if (!identity) return at("target", identity.error());
  const std::string name = stream_name(tenant, *identity);
  const auto state = read_state(source, target, name);
  if (!state) return std::unexpected(state.error());
  std::vector<std::string> removed;
  if (state->slot) {
    if (auto dropped = drop_slot(source, name); !dropped) return std::unexpected(dropped.error());
    removed.push_back("replication slot " + name + " of the source");
  }
  const auto names =
      source.execute("SELECT FROM pg_catalog.pg_publication WHERE pubname = $1", {name});
  if (!names) return at("source", names.error());
  if (!names->empty()) {
    const auto dropped = source.execute("DROP PUBLICATION " + quote_identifier(name));
    if (!dropped) return at("source", dropped.error());
    removed.push_back("publication " + name + " of the source");
  }
  if (state->progress) {
    const auto dropped = target.execute("SELECT pg_catalog.pg_replication_origin_drop($1)", {name});
    if (!dropped) return at("target", dropped.error());
    removed.push_back("replication origin " + name + " of the target");
  }
  // Last: as long as the stream could go on they are needed.
  if (auto forgotten = forget_beginnings(target, tenant); !forgotten)
    return fail_with_context("target", forgotten.error());
  return removed;
}

}  // namespace partywall::migrate
