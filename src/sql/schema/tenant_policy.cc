#include "sql/schema/tenant_policy.h"

#include <algorithm>
#include <iterator>

#include "engines/postgres.h"

namespace partywall::sql {
namespace {

// PostgreSQL shows an expression with blanks and parentheses of its own taste.
std::string without_layout(std::string_view expression) {
  std::string text;
  std::ranges::copy_if(expression, std::back_inserter(text),
                       [](char c) { return c != ' ' && c != '(' && c != ')'; });
  return text;
}

}  // namespace

bool is_tenant_test(std::string_view expression, std::string_view tenant_column) {
  const std::string text = without_layout(expression);
  // Unquoted where PostgreSQL need not quote it.
  const std::string column = text.starts_with('"')
                                 ? without_layout(postgres::quote_identifier(tenant_column))
                                 : std::string(tenant_column);
  const std::string test = column + "=SELECTpartywall.tenant_id";
  return text == test || text == test + "AStenant_id";
}

bool is_tenant_policy(const PolicyState& policy, std::string_view tenant_column) {
  return !policy.is_permissive && policy.is_for_everybody && policy.command == "*" &&
         is_tenant_test(policy.using_expression, tenant_column) &&
         is_tenant_test(policy.check_expression, tenant_column);
}

}  // namespace partywall::sql
