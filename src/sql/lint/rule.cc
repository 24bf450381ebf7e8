#include "sql/lint/rule.h"

#include <array>
#include <utility>

namespace partywall::sql {
namespace {

using enum LintRule;

constexpr auto kRules = std::to_array<LintRuleText>({
    {kTenantColumnMissing, "tenant-column-missing", "A table has no tenant column",
     "Without the column no policy can tell whose a row is: every tenant with a right on the table "
     "reads and writes all of it."},
    {kTenantColumnNotUuid, "tenant-column-not-uuid", "The tenant column is not of type uuid",
     "The tenant register holds a UUID; a column of another type cannot be compared with it, so "
     "that the table is left unprotected."},
    {kTenantColumnNullable, "tenant-column-nullable", "The tenant column may be NULL",
     "A row with NULL belongs to nobody: no tenant sees it, and no export or erasure of a tenant "
     "finds it."},
    {kRowSecurityOff, "row-security-off", "Row-level security is off",
     "Policies count only where it is enabled: every tenant sees all rows."},
    {kRowSecurityNotForced, "row-security-not-forced", "Row-level security is not forced",
     "The owner of a table is exempt from its policies, and so is everything that runs as the "
     "owner: views, SECURITY DEFINER functions, referential actions, an application that logs in "
     "as the owner."},
    {kNoTenantPolicy, "no-tenant-policy", "No policy ties the rows to the tenant register",
     "Policies that are permissive add up, and one that names other conditions shows rows of other "
     "tenants. Only a restrictive policy on the register narrows whatever else there is."},
    {kPolicyReadsSetting, "policy-reads-setting", "A policy reads the tenant from a setting",
     "Any SQL, an injected one too, can run SET or set_config and become another tenant; a pooled "
     "connection keeps the setting for whoever comes next."},
    {kPolicyNotSubselect, "policy-not-subselect",
     "A policy calls a function for each row instead of once",
     "Wrapped in a sub-select the call is made once for a statement (measured: 9.9 ms against 76 "
     "ms over 100,000 rows); a slow neighbour is a neighbour's problem too."},
    {kIndexNotLedByTenant, "index-not-led-by-tenant", "No index begins with the tenant column",
     "Each statement of a tenant then reads the rows of all tenants and throws most away: large "
     "tenants make small ones slow."},
    {kPartitionOpen, "partition-open", "A partition can be reached without its parent's policies",
     "Policies of the parent count for statements that name the parent. Who names the partition is "
     "held by the partition's own."},
    {kGrantBeyondRowSecurity, "grant-beyond-row-security",
     "PUBLIC has a right that row-level security does not cover",
     "TRUNCATE empties the table for all tenants; a trigger or a foreign key of one tenant's runs "
     "on, or tells about, the rows of others."},
    {kForeignTable, "foreign-table", "Tenants may use a foreign table",
     "PostgreSQL has no row-level security for foreign tables."},
    {kRewriteRule, "rewrite-rule", "A table has a rewrite rule",
     "What a rule adds to a statement runs with the rights of the table's owner."},
    {kUniqueWithoutTenant, "unique-without-tenant", "A unique key leaves out the tenant column",
     "Uniqueness is checked across all tenants: a tenant learns whether another has a value, and "
     "can take it away from the others."},
    {kForeignKeyWithoutTenant, "foreign-key-without-tenant",
     "A foreign key leaves out the tenant column",
     "Row-level security does not apply to the check: a tenant's row can point to another "
     "tenant's, which tells that it exists, and then keeps its owner from deleting it."},
    {kViewOwnerRights, "view-owner-rights", "A view reads with the rights of its owner",
     "The policies are those of the view's owner, not of who reads: as soon as that role is a "
     "superuser, BYPASSRLS, or exempt as a table's owner, the view shows all tenants."},
    {kMaterializedView, "materialized-view", "A materialized view holds rows of all tenants",
     "PostgreSQL has no row-level security for materialized views."},
    {kDefinerFunctionBypasses, "definer-function-bypasses",
     "A SECURITY DEFINER function runs as a role that row-level security does not hold",
     "Whoever may call it, or makes its trigger fire, acts on all tenants' rows in its place."},
    {kDefinerFunctionSearchPath, "definer-function-search-path",
     "A SECURITY DEFINER function does not pin its search_path",
     "The caller chooses which tables, functions and operators its unqualified names mean, and "
     "those run with its owner's rights (CVE-2018-1058)."},
    {kUntrustedFunction, "untrusted-function",
     "Tenants may call a function in an untrusted language",
     "It can do on the database server whatever the server's user can: read any file, open any "
     "connection."},
    {kOutwardFunction, "outward-function", "Tenants may open connections from the database server",
     "With dblink a tenant reaches what the server reaches, the database itself included, as "
     "another role than the door gave it."},
    {kLoginBypasses, "login-bypasses", "A login is exempt from row-level security",
     "An application that uses it, or a leaked password, sees all tenants."},
    {kOwnerLogin, "owner-login", "A login can act as the owner of tenants' tables",
     "It can switch row-level security off; it is for migrations, not for an application."},
    {kSequenceWritable, "sequence-writable", "PUBLIC may set a sequence",
     "setval lets a tenant give all others numbers that are taken or used up."},
    {kSequenceReadable, "sequence-readable", "PUBLIC may read the state of a sequence",
     "It tells how much all tenants together write."},
    {kSequenceShared, "sequence-shared", "Tenants share a sequence",
     "The gaps in a tenant's numbers tell how much the others write between."},
    {kPublication, "publication", "A publication carries the rows of all tenants",
     "Logical replication does not apply row-level security: who subscribes gets everybody's "
     "rows."},
    {kSchemaCreate, "schema-create", "PUBLIC may create objects",
     "A tenant's table, function or operator can stand in front of the one that other tenants' "
     "statements mean."},
    {kDatabaseOpen, "database-open", "PUBLIC may connect directly, or create temporary tables",
     "Who comes past the door has no tenant and no limits; a temporary table can stand in front of "
     "a real one."},
    {kStatisticsReadable, "statistics-readable", "PUBLIC may read pg_stat_statements",
     "It shows a tenant the statements that others ran on the same role before."},
    {kIndexLeaksValues, "index-leaks-values", "An index meets the values of all tenants",
     "PostgreSQL searches, or orders by, an index before row-level security looks at the rows: "
     "EXPLAIN (ANALYZE, BUFFERS) counts the neighbours' entries that were met, and so does the "
     "time. By halving the range again and again a tenant reads whole values."},
});

}  // namespace

std::span<const LintRuleText> lint_rules() { return kRules; }

const LintRuleText& text_of(LintRule rule) { return kRules.at(std::to_underlying(rule)); }

}  // namespace partywall::sql
