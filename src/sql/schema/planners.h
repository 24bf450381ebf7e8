#pragma once

#include <string>
#include <string_view>

#include "sql/schema/protect.h"
#include "sql/schema/state.h"

// The plan of `schema protect`: pure functions of what the catalogs say. Each adds its steps and
// findings to the plan.
namespace partywall::sql {

inline constexpr std::string_view kTenantPolicy = "partywall_tenant";
inline constexpr std::string_view kRowsPolicy = "partywall_rows";

void plan_register(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan);
void plan_slots(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan);
void plan_slot(const SchemaState& state, const SlotRoles& slots, const std::string& name,
               SchemaPlan& plan);
void plan_database(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan);
void plan_tables(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan);

// All of them, in the order in which the steps must be carried out.
[[nodiscard]] SchemaPlan plan_from(const SchemaState& state, const ProtectSettings& settings);

// prefix + 001 … count
[[nodiscard]] std::vector<std::string> slot_names(const SlotRoles& slots);
// What PostgreSQL is to store as the password of a slot role: always the same for one password and
// name, so that a second run can see that nothing has changed. Fails on an unusable password.
[[nodiscard]] Result<std::string> slot_verifier(const Secret& password, std::string_view slot);

}  // namespace partywall::sql
