#include <algorithm>

#include "base/hex.h"
#include "sql/schema/planners.h"
#include "sql/schema/register_sql.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;

void plan_owner(const RegisterState& state, SchemaPlan& plan) {
  if (!state.has_owner_role) {
    plan.steps.push_back({.sql = fmt::format("CREATE ROLE {} NOLOGIN NOINHERIT", kRegisterOwner),
                          .reason = "owns the tenant register; nobody logs in as it"});
  }
  if (!state.user_may_act_as_owner) {
    plan.steps.push_back(
        {.sql = fmt::format("GRANT {} TO CURRENT_USER", kRegisterOwner),
         .reason = "whoever installs the register must be able to act as its owner"});
  }
  if (!state.has_schema) {
    plan.steps.push_back(
        {.sql = fmt::format("CREATE SCHEMA {} AUTHORIZATION {}", kRegisterSchema, kRegisterOwner),
         .reason = "holds the tenant register and nothing else"});
  }
}

bool is_sound(const RegisterState& state) {
  return state.has_schema && state.comment == comment_prefix() + state.seal;
}

std::string copy_line(uint32_t id, const KeyBlocks& blocks) {
  return fmt::format("{}\t\\\\x{}\t\\\\x{}\n", id, to_hex(blocks.inner.reveal()),
                     to_hex(blocks.outer.reveal()));
}

// Keys go in by COPY: its data is in no log and no statistics.
void plan_keys(const RegisterState& state, const std::vector<RegisterKey>& keys, SchemaPlan& plan) {
  std::vector<RegisterState::Key> wanted;
  std::string data;
  for (const RegisterKey& key : keys) {
    const KeyBlocks blocks = make_key_blocks(key.key);
    wanted.push_back({key.id, fingerprint(blocks)});
    data += copy_line(key.id, blocks);
  }
  std::ranges::sort(wanted, {}, &RegisterState::Key::id);
  const auto is_same = [](const RegisterState::Key& a, const RegisterState::Key& b) {
    return a.id == b.id && a.fingerprint == b.fingerprint;
  };
  if (state.keys && std::ranges::equal(*state.keys, wanted, is_same)) return;
  plan.steps.push_back({.sql = "DELETE FROM partywall.register_key",
                        .reason = "other keys than these are not valid"});
  plan.steps.push_back(
      {.sql = "COPY partywall.register_key (key_id, inner_block, outer_block) FROM STDIN",
       .reason = fmt::format("{} key(s) of the sql door; the data is not shown", keys.size()),
       .copy_data = Secret(std::move(data))});
}

}  // namespace

void plan_register(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan) {
  const RegisterState& present = state.tenant_register;
  SchemaPlan inner;
  if (!is_sound(present)) {
    const auto add = [&](std::string_view sql, std::string reason) {
      inner.steps.push_back({.sql = std::string(sql), .reason = std::move(reason)});
    };
    add(sequences_sql(),
        "the register itself: one half of the tenant's UUID each, private to a session");
    add(key_table_sql(),
        "the keys that sign tokens, in the form in which PostgreSQL can check them fast");
    add(tenant_id_function_sql(), "reads the register; fails where it is empty");
    add(enter_function_sql(), "the only way to write the register: shows a token of the sql door");
    add(grants_sql(), "everybody may read the register, nobody may write it");
    add(seal_statement(), "so that a later run sees whether anything was changed");
  }
  if (!settings.keys.empty()) plan_keys(present, settings.keys, inner);
  if (inner.steps.empty()) return;
  plan_owner(present, plan);
  plan.steps.push_back({.sql = fmt::format("SET LOCAL ROLE {}", kRegisterOwner),
                        .reason = "as the register's owner"});
  std::ranges::move(inner.steps, std::back_inserter(plan.steps));
  plan.steps.push_back({.sql = "RESET ROLE", .reason = "as yourself again"});
}

}  // namespace partywall::sql
