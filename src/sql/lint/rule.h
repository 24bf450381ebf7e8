#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sql/schema/plan.h"

// The rules of `partywall schema lint`.
namespace partywall::sql {

enum class LintRule {
  kTenantColumnMissing,
  kTenantColumnNotUuid,
  kTenantColumnNullable,
  kRowSecurityOff,
  kRowSecurityNotForced,
  kNoTenantPolicy,
  kPolicyReadsSetting,
  kPolicyNotSubselect,
  kIndexNotLedByTenant,
  kPartitionOpen,
  kGrantBeyondRowSecurity,
  kForeignTable,
  kRewriteRule,
  kUniqueWithoutTenant,
  kForeignKeyWithoutTenant,
  kViewOwnerRights,
  kMaterializedView,
  kDefinerFunctionBypasses,
  kDefinerFunctionSearchPath,
  kUntrustedFunction,
  kOutwardFunction,
  kLoginBypasses,
  kOwnerLogin,
  kSequenceWritable,
  kSequenceReadable,
  kSequenceShared,
  kPublication,
  kSchemaCreate,
  kDatabaseOpen,
  kStatisticsReadable,
  kIndexLeaksValues,
};

struct LintRuleText {
  LintRule rule;
  std::string_view id;     // "foreign-key-without-tenant"; never changes
  std::string_view title;  // what is so
  std::string_view why;    // how one tenant reaches another by it
};

// All rules, in the order of the enumeration.
[[nodiscard]] std::span<const LintRuleText> lint_rules();
[[nodiscard]] const LintRuleText& text_of(LintRule rule);

struct LintFinding {
  LintRule rule;
  FindingLevel level = FindingLevel::kWarning;
  std::string object;   // "table public.orders"
  std::string message;  // what is so there
  std::string remedy;   // what mends it; SQL where SQL does
};

}  // namespace partywall::sql
