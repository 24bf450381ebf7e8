#include "migrate/convert/sequence_functions.h"

#include <fmt/format.h>

#include "sql/schema/read_parts.h"

namespace partywall::migrate {

// Only permanent sequences of the application's schemas are templates: a tenant that may create
// temporary sequences, or named those of others, could make this function create without end.
// CREATE SEQUENCE of two first numbers at once: one of them waits, and finds the other's.
std::string_view sequence_of_function() {
  return R"(CREATE OR REPLACE FUNCTION partywall_sequences.sequence_of(template regclass, tenant uuid)
 RETURNS regclass
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
  own_name text := 's_' || md5(template::text || '/' || tenant::text);
  statement text;
BEGIN
  IF to_regclass('partywall_sequences.' || own_name) IS NULL THEN
    SELECT format('CREATE SEQUENCE partywall_sequences.%I AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s',
        own_name, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
        CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) INTO statement
      FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE s.seqrelid = template AND c.relpersistence = 'p' AND n.nspname !~ '^(pg_|partywall)';
    IF statement IS NULL THEN
      RAISE EXCEPTION '% is not a sequence of the application', template USING ERRCODE = 'invalid_parameter_value';
    END IF;
    BEGIN
      EXECUTE statement;
    EXCEPTION WHEN duplicate_table OR unique_violation THEN
      NULL;
    END;
  END IF;
  RETURN to_regclass('partywall_sequences.' || own_name);
END
$function$
)";
}

std::string_view next_value_function() {
  return R"(CREATE OR REPLACE FUNCTION partywall_sequences.next_value(template regclass)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
  tenant uuid := partywall.tenant_id();
  own regclass := to_regclass('partywall_sequences.s_' || md5(template::text || '/' || tenant::text));
BEGIN
  IF own IS NULL THEN
    own := partywall_sequences.sequence_of(template, tenant);
  END IF;
  RETURN nextval(own);
END
$function$
)";
}

std::string next_value_call(std::string_view sequence) {
  std::string literal;
  for (const char c : sequence) {
    if (c == '\'') literal += c;
    literal += c;
  }
  return fmt::format("{}.next_value('{}'::regclass)", kSequenceSchema, literal);
}

std::vector<sql::SchemaStep> sequence_function_steps(const SequenceFunctions& state) {
  std::vector<sql::SchemaStep> steps;
  if (state.are_sound) return steps;
  const auto add = [&](std::string sql, std::string reason) {
    steps.push_back({.sql = std::move(sql), .reason = std::move(reason)});
  };
  if (!state.has_owner) {
    add(fmt::format("CREATE ROLE {} NOLOGIN NOINHERIT", kSequenceSchema),
        "owns the tenants' sequences; nobody logs in as it");
  }
  if (!state.user_may_act_as_owner) {
    add(fmt::format("GRANT {} TO CURRENT_USER", kSequenceSchema),
        "whoever installs the functions must be able to act as their owner");
  }
  if (!state.has_schema) {
    add(fmt::format("CREATE SCHEMA {0} AUTHORIZATION {0}", kSequenceSchema),
        "holds each tenant's own sequences");
  }
  add(fmt::format("SET LOCAL ROLE {}", kSequenceSchema), "as their owner");
  add(fmt::format("GRANT USAGE ON SCHEMA {} TO PUBLIC", kSequenceSchema),
      "so that an application may draw a number by the function's name; the sequences stay closed");
  add(std::string(sequence_of_function()), "finds or makes the sequence of one tenant");
  add(std::string(next_value_function()), "what the columns' defaults call");
  add("REVOKE ALL ON FUNCTION partywall_sequences.sequence_of(regclass, uuid) FROM PUBLIC",
      "nobody names another tenant");
  add("GRANT EXECUTE ON FUNCTION partywall_sequences.next_value(regclass) TO PUBLIC",
      "an INSERT of a tenant calls it");
  add("RESET ROLE", "as yourself again");
  return steps;
}

postgres::PostgresResult<SequenceFunctions> read_sequence_functions(
    postgres::Connection& connection) {
  const auto rows = connection.execute(
      R"(
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
  coalesce((SELECT pg_has_role(oid, 'USAGE') FROM pg_roles WHERE rolname = $1), false),
  EXISTS (SELECT FROM pg_namespace WHERE nspname = $1 AND pg_get_userbyid(nspowner) = $1),
  coalesce((SELECT array_agg(pg_get_functiondef(p.oid) ORDER BY p.proname) = ARRAY[$2::text, $3::text]
      AND bool_and(pg_get_userbyid(p.proowner) = $1)
      AND bool_and((p.proname = 'next_value') = EXISTS (
            SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1), false)
  AND EXISTS (SELECT FROM pg_namespace n, aclexplode(n.nspacl) AS x WHERE n.nspname = $1 AND x.grantee = 0
              AND x.privilege_type = 'USAGE'))",
      {std::string(kSequenceSchema), std::string(next_value_function()),
       std::string(sequence_of_function())});
  if (!rows) return std::unexpected(rows.error());
  return SequenceFunctions{.has_owner = rows->is_true(0, 0),
                           .user_may_act_as_owner = rows->is_true(0, 1),
                           .has_schema = rows->is_true(0, 2),
                           .are_sound = rows->is_true(0, 3)};
}

}  // namespace partywall::migrate
