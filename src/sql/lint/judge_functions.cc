#include <fmt/format.h>

#include "sql/lint/rules.h"

namespace partywall::sql {
namespace {

std::string revoke(const FunctionFacts& function) {
  return fmt::format("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC;", function.signature);
}

void judge_definer(const FunctionFacts& function, std::vector<LintFinding>& findings) {
  const std::string object = "function " + function.signature;
  const bool reachable = function.public_may_execute || function.fires_as_trigger;
  if (function.owner_bypasses) {
    findings.push_back(
        {LintRule::kDefinerFunctionBypasses,
         reachable ? FindingLevel::kError : FindingLevel::kWarning, object,
         fmt::format("it runs as {}, who sees all tenants' rows{}", function.owner,
                     function.public_may_execute ? "; tenants may call it"
                     : function.fires_as_trigger ? "; tenants make its trigger fire"
                                                 : ""),
         fmt::format("ALTER FUNCTION {} SECURITY INVOKER; or give it to an owner that is neither "
                     "superuser nor BYPASSRLS; or {}",
                     function.signature, revoke(function))});
  }
  if (function.pins_search_path) return;
  findings.push_back(
      {LintRule::kDefinerFunctionSearchPath,
       function.public_may_execute && function.owner_bypasses ? FindingLevel::kError
                                                              : FindingLevel::kWarning,
       object, fmt::format("it runs as {} with the caller's search_path", function.owner),
       fmt::format("ALTER FUNCTION {} SET search_path = pg_catalog, public, pg_temp;",
                   function.signature)});
}

}  // namespace

void judge_functions(const LintFacts& facts, std::vector<LintFinding>& findings) {
  for (const FunctionFacts& function : facts.functions) {
    if (function.is_definer) judge_definer(function, findings);
    if (!function.public_may_execute) continue;
    const std::string object = "function " + function.signature;
    if (function.is_outward) {
      findings.push_back({LintRule::kOutwardFunction, FindingLevel::kWarning, object,
                          "tenants may call it", revoke(function)});
    }
    if (!function.language_is_trusted) {
      findings.push_back({LintRule::kUntrustedFunction, FindingLevel::kWarning, object,
                          fmt::format("its language is {}; tenants may call it", function.language),
                          revoke(function)});
    }
  }
}

}  // namespace partywall::sql
