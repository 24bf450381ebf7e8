#include "sql/schema/protect.h"

#include <algorithm>

#include "sql/schema/plan_text.h"
#include "sql/schema/planners.h"
#include "sql/schema/read_parts.h"
#include "sql/schema/read_state.h"

namespace partywall::sql {
namespace {

using postgres::Connection;
using postgres::Transaction;

constexpr std::string_view kLockNotAvailable = "55P03";

constexpr int kOldestServer = 150000;  // unlogged sequences; roles no longer administer themselves

// Two runs at once would see each other's half-made state. What they lock is a table on which
// tenants have no rights: an advisory lock, which each of them can take, serves only until there is
// one, when there are no tenants either. Writing the register (partywall.enter) does not wait for
// it. Whoever may not act as the register's owner is refused later, or becomes it in the plan.
constexpr std::string_view kLock = R"(DO $lock$
BEGIN
  IF pg_catalog.to_regclass('partywall.register_key') IS NULL THEN
    PERFORM pg_catalog.pg_advisory_xact_lock(8101127914);
  END IF;
  IF pg_catalog.to_regclass('partywall.register_key') IS NOT NULL
      AND EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) 'partywall_owner'
                    AND pg_catalog.pg_has_role(r.oid, 'MEMBER')) THEN
    SET LOCAL ROLE partywall_owner;
    LOCK TABLE partywall.register_key IN SHARE ROW EXCLUSIVE MODE;
    RESET ROLE;
  END IF;
END $lock$)";

Result<> check_settings(const ProtectSettings& settings) {
  if (settings.keys.size() > 2)
    return fail(ErrorKind::kInvalid, "at most two register keys may be valid at a time");
  for (const RegisterKey& key : settings.keys) {
    if (key.key.reveal().size() < 32) {
      return fail(ErrorKind::kInvalid,
                  "register key {} is too short: 64 random bytes are expected, at least 32",
                  key.id);
    }
    if (key.id == 0 || key.id > INT32_MAX)
      return fail(ErrorKind::kInvalid, "register key ids are 1 to 2147483647");
    if (std::ranges::count(settings.keys, key.id, &RegisterKey::id) > 1) {
      return fail(ErrorKind::kInvalid, "register key {} is given twice", key.id);
    }
  }
  return {};
}

Result<SchemaPlan> plan_inside(Connection& connection, const ProtectSettings& settings) {
  const auto names =
      settings.slots.password.empty() ? std::vector<std::string>() : slot_names(settings.slots);
  const auto state =
      read_state(connection, {.tenant_column = settings.tenant_column, .slot_roles = names});
  if (!state) return fail_with_context("reading the catalogs", state.error());
  return plan_from(*state, settings);
}

Result<> check_server(const Connection& connection) {
  if (connection.server_version() >= kOldestServer) return {};
  return fail(ErrorKind::kInvalid,
              "the server is PostgreSQL {}; the tenant register needs 15 or newer",
              connection.server_version() / 10000);
}

Result<> check_nothing_is_left(Connection& connection, const ProtectSettings& settings) {
  const auto left = plan_inside(connection, settings);
  if (!left) return std::unexpected(left.error());
  const auto step = std::ranges::find(left->steps, false, &SchemaStep::always);
  if (step == left->steps.end()) return {};
  std::string notices;
  for (const std::string& notice : connection.take_notices()) notices += "\n  " + notice;
  return fail(ErrorKind::kDenied,
              "nothing was changed: after all steps this one is still needed, probably because the "
              "user \"{}\" may not "
              "do it: {}{}",
              connection.user(), step->sql, notices);
}

}  // namespace

ProtectSettings protect_settings_of(const SqlBackend& backend) {
  ProtectSettings settings;
  if (!backend.register_key.empty())
    settings.keys = {{backend.register_key_id, backend.register_key}};
  settings.slots = backend.slots;
  settings.allow_temp = backend.allow_temp;
  for (const std::string& role : {backend.owner_role, backend.provisioner_role}) {
    if (!role.empty()) settings.connect_roles.push_back(role);
  }
  return settings;
}

Result<> carry_out(Connection& connection, const SchemaStep& step) {
  const std::string sql = step.run.empty() ? step.sql : std::string(step.run.reveal());
  if (!step.copy_data.empty()) {
    if (auto copied = connection.copy_in(sql, step.copy_data.reveal()); !copied) {
      return fail_with_context(step.sql, copied.error());
    }
    return {};
  }
  if (auto done = connection.execute_script(sql); !done)
    return fail_with_context(step.sql, done.error());
  return {};
}

Result<SchemaPlan> plan_protection(Connection& connection, const ProtectSettings& settings) {
  if (auto fine = check_settings(settings); !fine) return std::unexpected(fine.error());
  if (auto fine = check_server(connection); !fine) return std::unexpected(fine.error());
  auto transaction = Transaction::begin(connection, "ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  if (!transaction) return std::unexpected(transaction.error());
  return plan_inside(connection, settings);
}

Result<> begin_protection(Connection& connection, const ProtectSettings& settings) {
  if (auto fine = check_settings(settings); !fine) return fine;
  if (auto fine = check_server(connection); !fine) return fine;
  const auto limited = connection.execute(lock_timeout_statement(settings.lock_timeout));
  if (!limited) return std::unexpected(limited.error());
  if (auto locked = connection.execute(std::string(kLock)); !locked) {
    if (locked.error().sqlstate != kLockNotAvailable) return std::unexpected(locked.error());
    return fail(ErrorKind::kConflict,
                "database {} is being protected by another run, which holds the lock on "
                "partywall.register_key: wait for it, or end it",
                connection.database());
  }
  connection.take_notices();
  return {};
}

Result<SchemaPlan> finish_protection(Connection& connection, const ProtectSettings& settings) {
  auto plan = plan_inside(connection, settings);
  if (!plan) return plan;
  for (const SchemaStep& step : plan->steps) {
    if (auto done = carry_out(connection, step); !done) return std::unexpected(done.error());
  }
  if (auto complete = check_nothing_is_left(connection, settings); !complete)
    return std::unexpected(complete.error());
  return plan;
}

Result<SchemaPlan> protect_database(Connection& connection, const ProtectSettings& settings) {
  auto transaction = Transaction::begin(connection, "READ WRITE");
  if (!transaction) return std::unexpected(transaction.error());
  if (auto begun = begin_protection(connection, settings); !begun)
    return std::unexpected(begun.error());
  auto plan = finish_protection(connection, settings);
  if (!plan) return plan;
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return plan;
}

Result<> mend_slot(Connection& connection, const SlotRoles& slots, uint32_t number) {
  const std::string name = slot_names(slots).at(number - 1);
  auto transaction = Transaction::begin(connection, "READ WRITE");
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = connection.execute("SET LOCAL search_path = pg_catalog"); !done)
    return std::unexpected(done.error());
  auto found = read_slots(connection, {name}, PasswordAccess::kHidden);
  if (!found) return std::unexpected(found.error());
  SchemaState state;
  state.database.name = connection.database();
  state.slots = *std::move(found);
  SchemaPlan plan;
  plan_slot(state, slots, name, plan);
  for (const SchemaStep& step : plan.steps) {
    if (auto done = carry_out(connection, step); !done) return done;
  }
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return {};
}

Result<bool> end_left_over(Connection& connection, const SlotRoles& slots, uint32_t number,
                           uint32_t pid) {
  const auto ended = connection.execute(
      "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a "
      "WHERE a.pid OPERATOR(pg_catalog.=) $1 AND a.usename OPERATOR(pg_catalog.=) $2",
      {std::to_string(pid), slot_names(slots).at(number - 1)});
  if (!ended) return std::unexpected(ended.error());
  return ended->size() > 0;
}

std::string_view to_string(FindingLevel level) {
  switch (level) {
    case FindingLevel::kInfo:
      return "info";
    case FindingLevel::kWarning:
      return "warning";
    case FindingLevel::kError:
      return "error";
  }
  return "unknown";
}

}  // namespace partywall::sql
