#include "store/control/migrations.h"

namespace partywall::store {

// A row that one transaction updates again and again leaves all its versions for that transaction
// to read past: what a change cost grew with the number of changes before it. So the transaction
// remembers its version, and the last event's id is looked up instead of counted.
std::string_view cheaper_feed_sql() {
  return R"sql(
-- The version of this transaction. `partywall.version_of` is "<transaction> <version>", and ends
-- with the transaction (or the savepoint).
CREATE OR REPLACE FUNCTION partywall.next_version() RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  transaction text := pg_current_xact_id()::text;
  known text := current_setting('partywall.version_of', true);
  result bigint;
BEGIN
  IF split_part(known, ' ', 1) = transaction THEN
    RETURN split_part(known, ' ', 2)::bigint;
  END IF;
  UPDATE partywall.head SET version = version + 1, changed_in = pg_current_xact_id()
    WHERE changed_in IS DISTINCT FROM pg_current_xact_id();
  SELECT version INTO STRICT result FROM partywall.head;
  PERFORM set_config('partywall.version_of', transaction || ' ' || result, true);
  RETURN result;
END $$;

COMMENT ON COLUMN partywall.head.event IS 'ids up to this one have been given, whether or not their events are still there';

CREATE OR REPLACE FUNCTION partywall.add_event(type text, tenant uuid, subject text, actor text,
                                               data jsonb)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result bigint;
BEGIN
  -- To the end of the transaction: ids become visible in their order.
  PERFORM FROM partywall.head FOR UPDATE;
  SELECT greatest(h.event, (SELECT e.id FROM partywall.events e ORDER BY e.id DESC LIMIT 1)) + 1
    INTO STRICT result FROM partywall.head h;
  INSERT INTO partywall.events (id, type, tenant, subject, actor, data)
    VALUES (result, type, tenant, subject, actor, data);
  PERFORM pg_notify('partywall_events', result::text);
  RETURN result;
END $$;
)sql";
}

}  // namespace partywall::store
