#include "store/control/migrations.h"

namespace partywall::store {

// The row of partywall.head is locked by each transaction that changes the directory, from its
// first change to its commit. So versions become visible in their order, one transaction has one
// version, and whoever has read up to a version has missed nothing before it. The price: changes
// are made one after the other; each takes about a millisecond.
std::string_view change_feed_sql() {
  return R"sql(
CREATE TABLE partywall.head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  version bigint NOT NULL DEFAULT 0,    -- of the directory
  changed_in xid8,                      -- the transaction that made it
  event bigint NOT NULL DEFAULT 0,      -- the last id in partywall.events
  complete_after bigint NOT NULL DEFAULT 0,  -- partywall.changes has all changes after this version
  incarnation uuid NOT NULL DEFAULT gen_random_uuid()  -- versions of another one cannot be compared
);
INSERT INTO partywall.head DEFAULT VALUES;

CREATE TABLE partywall.changes (
  version bigint NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (version, kind, key)
);

-- The version of this transaction.
CREATE FUNCTION partywall.next_version() RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result bigint;
BEGIN
  UPDATE partywall.head SET version = version + 1, changed_in = pg_current_xact_id()
    WHERE changed_in IS DISTINCT FROM pg_current_xact_id();
  SELECT version INTO STRICT result FROM partywall.head;
  RETURN result;
END $$;

CREATE FUNCTION partywall.note(kind text, key text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  now_at bigint := partywall.next_version();
BEGIN
  INSERT INTO partywall.changes (version, kind, key) VALUES (now_at, kind, key)
    ON CONFLICT DO NOTHING;
  PERFORM pg_notify('partywall_directory', now_at::text);
END $$;

-- Arguments: the kind, and the column whose value is the key.
CREATE FUNCTION partywall.note_row() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM partywall.note(TG_ARGV[0], to_jsonb(OLD) ->> TG_ARGV[1]);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    PERFORM partywall.note(TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[1]);
  END IF;
  RETURN NULL;
END $$;

-- Gives the row the version of the transaction that changes it.
CREATE FUNCTION partywall.stamp_row() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.version := partywall.next_version();
  RETURN NEW;
END $$;

-- TRUNCATE runs no row triggers: the feed would not know.
CREATE FUNCTION partywall.refuse_truncate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'use DELETE on partywall.%: TRUNCATE would bypass the change feed',
    TG_TABLE_NAME USING ERRCODE = 'feature_not_supported';
END $$;
)sql";
}

}  // namespace partywall::store
