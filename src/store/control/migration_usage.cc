#include "store/control/migrations.h"

namespace partywall::store {

// docs/usage.md
std::string_view usage_sql() {
  return R"sql(
-- The last interval of each run of a node: what comes again is known by its number.
CREATE TABLE partywall.usage_runs (
  node text NOT NULL,
  run uuid NOT NULL,
  number bigint NOT NULL,
  ended_at timestamptz NOT NULL,
  is_last boolean NOT NULL,
  PRIMARY KEY (node, run)
);
CREATE INDEX usage_runs_ended ON partywall.usage_runs (ended_at);

-- Times for which a node's counts are missing.
CREATE TABLE partywall.usage_gaps (
  node text NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  PRIMARY KEY (node, from_at)
);
CREATE INDEX usage_gaps_to ON partywall.usage_gaps (to_at);

-- `tenant` has no reference: bills outlive tenants.
CREATE TABLE partywall.usage_hours (
  tenant uuid NOT NULL,
  hour timestamptz NOT NULL,
  http_requests bigint NOT NULL DEFAULT 0,
  http_errors bigint NOT NULL DEFAULT 0,
  http_throttled bigint NOT NULL DEFAULT 0,
  http_slow bigint NOT NULL DEFAULT 0,
  http_received_bytes bigint NOT NULL DEFAULT 0,
  http_sent_bytes bigint NOT NULL DEFAULT 0,
  http_queue_ms bigint NOT NULL DEFAULT 0,
  sql_statements bigint NOT NULL DEFAULT 0,
  sql_transactions bigint NOT NULL DEFAULT 0,
  sql_errors bigint NOT NULL DEFAULT 0,
  sql_slow bigint NOT NULL DEFAULT 0,
  sql_busy_us bigint NOT NULL DEFAULT 0,
  sql_wait_us bigint NOT NULL DEFAULT 0,
  cache_commands bigint NOT NULL DEFAULT 0,
  cache_hits bigint NOT NULL DEFAULT 0,
  cache_misses bigint NOT NULL DEFAULT 0,
  cache_received_bytes bigint NOT NULL DEFAULT 0,
  cache_sent_bytes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, hour)
) WITH (fillfactor = 50);  -- each row is updated hundreds of times: room for it on its page
CREATE INDEX usage_hours_hour ON partywall.usage_hours (hour);

-- What hours become when they are old.
CREATE TABLE partywall.usage_days (LIKE partywall.usage_hours INCLUDING DEFAULTS);
ALTER TABLE partywall.usage_days RENAME COLUMN hour TO day;
ALTER TABLE partywall.usage_days ADD PRIMARY KEY (tenant, day);

-- Adds an interval, once; false: it was added before. Nodes may call it, and read or change nothing
-- of what it keeps. The row of the run is locked, so that one that is sent twice at the same time
-- waits for the first. Meters that this release does not know are left out.
CREATE FUNCTION partywall.record_usage(of_node text, of_run uuid, of_number bigint,
  begun timestamptz, over timestamptz, the_last boolean, counts jsonb)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before partywall.usage_runs;
  missing_from timestamptz;
BEGIN
  IF of_number < 1 OR over < begun THEN
    RAISE EXCEPTION 'interval % from % to % is none', of_number, begun, over
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO partywall.usage_runs (node, run, number, ended_at, is_last)
    VALUES (of_node, of_run, 0, begun, false) ON CONFLICT DO NOTHING;
  SELECT * INTO STRICT before FROM partywall.usage_runs
    WHERE node = of_node AND run = of_run FOR UPDATE;
  IF before.number >= of_number THEN
    RETURN false;
  END IF;
  IF before.number = 0 THEN
    -- A new run. The one before it ended in order, or somewhere in between.
    SELECT r.ended_at INTO missing_from FROM partywall.usage_runs r
      WHERE r.node = of_node AND r.run <> of_run AND (of_number > 1 OR NOT r.is_last)
        AND r.ended_at = (SELECT max(o.ended_at) FROM partywall.usage_runs o
                          WHERE o.node = of_node AND o.run <> of_run);
  ELSIF of_number > before.number + 1 THEN
    missing_from := before.ended_at;
  END IF;
  IF missing_from < begun THEN
    INSERT INTO partywall.usage_gaps (node, from_at, to_at) VALUES (of_node, missing_from, begun)
      ON CONFLICT (node, from_at) DO UPDATE SET to_at = greatest(usage_gaps.to_at, excluded.to_at);
  END IF;
  UPDATE partywall.usage_runs SET number = of_number, ended_at = over, is_last = the_last
    WHERE node = of_node AND run = of_run;
  INSERT INTO partywall.usage_hours AS h
    SELECT c.tenant, date_trunc('hour', begun, 'UTC'),
      coalesce(c.http_requests, 0), coalesce(c.http_errors, 0), coalesce(c.http_throttled, 0),
      coalesce(c.http_slow, 0), coalesce(c.http_received_bytes, 0), coalesce(c.http_sent_bytes, 0),
      coalesce(c.http_queue_ms, 0), coalesce(c.sql_statements, 0),
      coalesce(c.sql_transactions, 0), coalesce(c.sql_errors, 0), coalesce(c.sql_slow, 0),
      coalesce(c.sql_busy_us, 0), coalesce(c.sql_wait_us, 0), coalesce(c.cache_commands, 0),
      coalesce(c.cache_hits, 0), coalesce(c.cache_misses, 0),
      coalesce(c.cache_received_bytes, 0), coalesce(c.cache_sent_bytes, 0)
    FROM jsonb_to_recordset(counts) AS c(tenant uuid, http_requests bigint, http_errors bigint,
      http_throttled bigint, http_slow bigint, http_received_bytes bigint, http_sent_bytes bigint,
      http_queue_ms bigint, sql_statements bigint, sql_transactions bigint, sql_errors bigint,
      sql_slow bigint, sql_busy_us bigint, sql_wait_us bigint, cache_commands bigint,
      cache_hits bigint, cache_misses bigint, cache_received_bytes bigint, cache_sent_bytes bigint)
    ORDER BY c.tenant
    ON CONFLICT (tenant, hour) DO UPDATE SET
      http_requests = h.http_requests + excluded.http_requests,
      http_errors = h.http_errors + excluded.http_errors,
      http_throttled = h.http_throttled + excluded.http_throttled,
      http_slow = h.http_slow + excluded.http_slow,
      http_received_bytes = h.http_received_bytes + excluded.http_received_bytes,
      http_sent_bytes = h.http_sent_bytes + excluded.http_sent_bytes,
      http_queue_ms = h.http_queue_ms + excluded.http_queue_ms,
      sql_statements = h.sql_statements + excluded.sql_statements,
      sql_transactions = h.sql_transactions + excluded.sql_transactions,
      sql_errors = h.sql_errors + excluded.sql_errors,
      sql_slow = h.sql_slow + excluded.sql_slow,
      sql_busy_us = h.sql_busy_us + excluded.sql_busy_us,
      sql_wait_us = h.sql_wait_us + excluded.sql_wait_us,
      cache_commands = h.cache_commands + excluded.cache_commands,
      cache_hits = h.cache_hits + excluded.cache_hits,
      cache_misses = h.cache_misses + excluded.cache_misses,
      cache_received_bytes = h.cache_received_bytes + excluded.cache_received_bytes,
      cache_sent_bytes = h.cache_sent_bytes + excluded.cache_sent_bytes;
  RETURN true;
END $$;
)sql";
}

}  // namespace partywall::store
