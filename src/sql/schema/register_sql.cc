#include "sql/schema/register_sql.h"

#include "base/crypto.h"
#include "base/hex.h"

namespace partywall::sql {
namespace {

constexpr size_t kBlockLength = 64;  // of SHA-256

std::string combined(const std::string& block, char pad) {
  std::string result = block;
  for (char& byte : result) byte = static_cast<char>(byte ^ pad);
  return result;
}

}  // namespace

// Two bigints hold the UUID. Unlogged: setval writes no WAL. Their names appear in the error that
// an empty register gives: currval of sequence "current_tenant" is not yet defined in this session.
std::string_view sequences_sql() {
  return R"(CREATE UNLOGGED SEQUENCE IF NOT EXISTS partywall.current_tenant AS bigint;
ALTER SEQUENCE partywall.current_tenant AS bigint MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807;
CREATE UNLOGGED SEQUENCE IF NOT EXISTS partywall.current_tenant_low AS bigint;
ALTER SEQUENCE partywall.current_tenant_low AS bigint MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807;)";
}

std::string_view key_table_sql() {
  return R"(CREATE TABLE IF NOT EXISTS partywall.register_key (
  key_id integer PRIMARY KEY,
  inner_block bytea NOT NULL CHECK (pg_catalog.octet_length(inner_block) OPERATOR(pg_catalog.=) 64),
  outer_block bytea NOT NULL CHECK (pg_catalog.octet_length(outer_block) OPERATOR(pg_catalog.=) 64)
);)";
}

// VOLATILE, because a function with a volatile body (currval) is inlined only then; PARALLEL
// RESTRICTED, because UNSAFE would forbid parallel plans altogether, and a worker has no register
// of its own: inside (SELECT …) the leader evaluates it and hands the value on.
std::string_view tenant_id_function_sql() {
  return R"(CREATE OR REPLACE FUNCTION partywall.tenant_id() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
RETURN pg_catalog.encode(
  pg_catalog.int8send(pg_catalog.currval('partywall.current_tenant'::pg_catalog.regclass))
    OPERATOR(pg_catalog.||)
  pg_catalog.int8send(pg_catalog.currval('partywall.current_tenant_low'::pg_catalog.regclass)),
  'hex')::pg_catalog.uuid;)";
}

// The token's layout is in sql/register_token.h. The two hashes around the comparison keep its
// timing from telling how much of a guessed MAC is right. random() is seeded anew, because a seed
// survives DISCARD ALL: one tenant could set it and know what the next one draws.
std::string_view enter_function_sql() {
  return R"(CREATE OR REPLACE FUNCTION partywall.enter(token bytea) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $enter$
DECLARE
  is_empty boolean := false;
BEGIN
  BEGIN
    PERFORM currval('partywall.current_tenant_low');
  EXCEPTION WHEN object_not_in_prerequisite_state THEN
    is_empty := true;
  END;
  IF NOT is_empty THEN
    RAISE EXCEPTION USING ERRCODE = 'object_in_use',
      MESSAGE = 'the tenant register of this session is not empty',
      HINT = 'DISCARD ALL empties it.';
  END IF;
  PERFORM setval('partywall.current_tenant', ('x' || encode(substr(token, 5, 8), 'hex'))::bit(64)::bigint),
          setval('partywall.current_tenant_low', ('x' || encode(substr(token, 13, 8), 'hex'))::bit(64)::bigint),
          setseed(uuid_hash_extended(gen_random_uuid(), 0)::float8 / '9223372036854775808'::float8)
    FROM partywall.register_key AS k
    WHERE int4send(k.key_id) = substr(token, 1, 4)
      AND sha256(substr(token, 33)) = sha256(sha256(k.outer_block || sha256(k.inner_block || substr(token, 1, 32))))
      AND substr(token, 29, 4) = int4send(pg_backend_pid())
      AND substr(token, 21, 8) > int8send(date_part('epoch', clock_timestamp())::bigint);
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_authorization_specification',
      MESSAGE = 'the tenant register refuses this token',
      DETAIL = CASE
        WHEN octet_length(token) <> 64 THEN 'It is not 64 bytes long.'
        WHEN NOT EXISTS (SELECT FROM partywall.register_key AS k WHERE int4send(k.key_id) = substr(token, 1, 4))
          THEN 'Its key is not in the register.'
        WHEN substr(token, 29, 4) <> int4send(pg_backend_pid()) THEN 'It was made for another server process.'
        WHEN substr(token, 21, 8) <= int8send(date_part('epoch', clock_timestamp())::bigint) THEN 'It has expired.'
        ELSE 'Its signature is wrong.'
      END;
  END IF;
END
$enter$;)";
}

// EXECUTE on enter goes to everybody who may connect: slot roles, and migration logins that are
// bound to a tenant. Without a token it is worth nothing.
std::string_view grants_sql() {
  return R"(REVOKE ALL ON SCHEMA partywall FROM PUBLIC;
GRANT USAGE ON SCHEMA partywall TO PUBLIC;
REVOKE ALL ON partywall.current_tenant, partywall.current_tenant_low FROM PUBLIC;
GRANT SELECT ON partywall.current_tenant, partywall.current_tenant_low TO PUBLIC;
REVOKE ALL ON partywall.register_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partywall.tenant_id(), partywall.enter(bytea) TO PUBLIC;)";
}

std::string_view seal_query() {
  return R"(SELECT coalesce(encode(sha256(convert_to(string_agg(part, E'\n' ORDER BY part), 'UTF8')), 'hex'), '') FROM (
  SELECT concat_ws('|', 'schema', nspowner::regrole, nspacl) FROM pg_namespace WHERE nspname = 'partywall'
  UNION ALL
  SELECT concat_ws('|', 'relation', relname, relkind, relpersistence, relowner::regrole, relacl, relrowsecurity,
                   seqtypid::regtype, seqmin, seqmax, seqcache)
    FROM pg_class LEFT JOIN pg_sequence ON seqrelid = pg_class.oid
    WHERE relnamespace = to_regnamespace('partywall') AND relkind IN ('r', 'S', 'v')
  UNION ALL
  SELECT concat_ws('|', 'function', proname, pg_get_function_arguments(oid), prolang, proowner::regrole, proacl,
                   provolatile, proparallel, prosecdef, proisstrict, proconfig, prosrc, prosqlbody)
    FROM pg_proc WHERE pronamespace = to_regnamespace('partywall')
) AS parts(part))";
}

const std::string& comment_prefix() {
  static const std::string prefix = [] {
    std::string all;
    for (const std::string_view sql : {sequences_sql(), key_table_sql(), tenant_id_function_sql(),
                                       enter_function_sql(), grants_sql(), seal_query()}) {
      all.append(sql);
    }
    return "Tenant register of Partywall; do not change it by hand. Version " +
           to_hex(as_bytes(sha256(all))).substr(0, 16) + ", seal ";
  }();
  return prefix;
}

std::string seal_statement() {
  return fmt::format(R"(DO $seal$ BEGIN
  EXECUTE format('COMMENT ON SCHEMA partywall IS %L', '{}' || ({}));
END $seal$;)",
                     comment_prefix(), seal_query());
}

KeyBlocks make_key_blocks(const Secret& key) {
  std::string block(key.reveal());
  if (block.size() > kBlockLength) block = as_bytes(sha256(block));
  block.resize(kBlockLength, '\0');
  return {.inner = Secret(combined(block, 0x36)), .outer = Secret(combined(block, 0x5C))};
}

std::string fingerprint(const KeyBlocks& blocks) {
  const Secret both(std::string(blocks.inner.reveal()).append(blocks.outer.reveal()));
  return to_hex(as_bytes(sha256(both.reveal())));
}

}  // namespace partywall::sql
