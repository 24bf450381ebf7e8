#include <algorithm>

#include "identity/scram.h"
#include "sql/schema/planners.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

constexpr std::string_view kHidden = "'(hidden)'";
constexpr size_t kSaltLength = 16;

class SlotPlanner {
 public:
  SlotPlanner(const SchemaState& state, const SlotRoles& slots, SchemaPlan& plan)
      : state_(state), slots_(slots), plan_(plan) {}

  void plan(const std::string& name) {
    const auto present = std::ranges::find(state_.slots, name, &SlotState::name);
    const auto verifier = slot_verifier(slots_.password, name);
    if (!verifier) {
      plan_.findings.push_back({FindingLevel::kError, "role " + name, verifier.error().message,
                                "Choose another password."});
      return;
    }
    if (present == state_.slots.end()) {
      add_password(
          "CREATE ROLE " + quote_identifier(name) + " LOGIN NOINHERIT CONNECTION LIMIT 1 PASSWORD ",
          *verifier, "a login for one server connection of the sql door");
    } else {
      mend(*present, *verifier);
    }
    if (present == state_.slots.end() || !present->may_connect) {
      add(fmt::format("GRANT CONNECT ON DATABASE {} TO {}", quote_identifier(state_.database.name),
                      quote_identifier(name)),
          "the sql door connects as it");
    }
  }

 private:
  void add(std::string sql, std::string reason) {
    plan_.steps.push_back({.sql = std::move(sql), .reason = std::move(reason)});
  }

  void add_password(const std::string& statement, const std::string& verifier, std::string reason) {
    plan_.steps.push_back({.sql = statement + std::string(kHidden),
                           .reason = std::move(reason),
                           .run = Secret(statement + quote_literal(verifier))});
  }

  // A role may change its own password and settings, and whoever runs as it is a tenant.
  void mend(const SlotState& slot, const std::string& verifier) {
    const std::string role = quote_identifier(slot.name);
    if (!slot.can_login || slot.inherits || slot.connection_limit != 1 || slot.expires) {
      add("ALTER ROLE " + role + " LOGIN NOINHERIT CONNECTION LIMIT 1 VALID UNTIL 'infinity'",
          "one connection each: nobody else logs in as it while the door does");
    }
    if (slot.is_privileged) {
      add("ALTER ROLE " + role + " NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
          "tenants' statements run as it");
    }
    if (!slot.verifier || *slot.verifier != verifier) {
      add_password("ALTER ROLE " + role + " PASSWORD ", verifier,
                   slot.verifier
                       ? "its password is not the configured one"
                       : "set again, because only a superuser could see whether it was changed");
      plan_.steps.back().always = !slot.verifier;
    }
    if (slot.has_settings)
      add("ALTER ROLE " + role + " RESET ALL", "a tenant has changed its settings");
    for (const std::string& database : slot.databases_with_settings) {
      add(fmt::format("ALTER ROLE {} IN DATABASE {} RESET ALL", role, quote_identifier(database)),
          "a tenant has changed its settings");
    }
    mend_default_privileges(slot);
    for (const std::string& group : slot.member_of) {
      add(fmt::format("REVOKE {} FROM {}", quote_identifier(group), role),
          "a slot role has no rights of other roles");
    }
    for (const std::string& member : slot.members) {
      add(fmt::format("REVOKE {} FROM {}", role, quote_identifier(member)),
          "one slot role must not act as another: it could cancel its statements");
    }
  }

  // They are for objects that it makes, and it may make none; but a role with them cannot be
  // dropped.
  void mend_default_privileges(const SlotState& slot) {
    if (!slot.default_privileges.empty() && !slot.user_may_act_as_it) {
      plan_.findings.push_back(
          {FindingLevel::kInfo, "role " + slot.name,
           "a tenant has changed the default privileges of what it makes, and you may not change "
           "them back",
           fmt::format("As a superuser, or as a member of it: {};", slot.default_privileges[0])});
      return;
    }
    for (const std::string& statement : slot.default_privileges)
      add(statement, "a tenant has changed the default privileges of what it makes");
  }

  const SchemaState& state_;
  const SlotRoles& slots_;
  SchemaPlan& plan_;
};

// Without one a tenant fills the disk for all. The role itself cannot change the setting, nor reset
// it with the others.
void plan_temp_files(const SchemaState& state, uint32_t limit_mib, const std::string& name,
                     SchemaPlan& plan) {
  const std::string role = quote_identifier(name);
  const auto present = std::ranges::find(state.slots, name, &SlotState::name);
  const bool is_reset = present == state.slots.end() || present->has_settings;
  const std::string limit = is_reset ? "" : present->temp_file_limit;
  const std::string wanted = limit_mib == 0 ? "" : std::to_string(uint64_t{limit_mib} * 1024);
  if (limit == wanted) return;
  plan.steps.push_back(
      wanted.empty()
          ? SchemaStep{.sql = fmt::format("ALTER ROLE {} RESET temp_file_limit", role),
                       .reason = "the server's own limit on temporary files"}
          : SchemaStep{
                .sql = fmt::format("ALTER ROLE {} SET temp_file_limit = {}", role, wanted),
                .reason = "a tenant's sorts and cursors must not fill the disk for all; in KiB"});
}

}  // namespace

std::vector<std::string> slot_names(const SlotRoles& slots) {
  std::vector<std::string> names;
  for (uint32_t number = 1; number <= slots.count; ++number)
    names.push_back(fmt::format("{}{:03}", slots.prefix, number));
  return names;
}

Result<std::string> slot_verifier(const Secret& password, std::string_view slot) {
  const std::string salt(
      as_bytes(hmac_sha256(password.reveal(), fmt::format("slot salt:{}", slot))));
  const auto verifier = make_scram_verifier(password.reveal(), salt.substr(0, kSaltLength));
  if (!verifier) return std::unexpected(verifier.error());
  return verifier->to_string();
}

void plan_slots(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan) {
  if (settings.slots.password.empty()) return;
  for (const std::string& name : slot_names(settings.slots)) {
    plan_slot(state, settings.slots, name, plan);
    if (state.database.user_is_superuser)
      plan_temp_files(state, settings.temp_file_limit_mib, name, plan);
  }
}

void plan_slot(const SchemaState& state, const SlotRoles& slots, const std::string& name,
               SchemaPlan& plan) {
  SlotPlanner(state, slots, plan).plan(name);
}

}  // namespace partywall::sql
