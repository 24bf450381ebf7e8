#include "store/control/migrations.h"

namespace partywall::store {

// A cell may have several caches, tenants are told apart by databases or by prefixes, and a tenant
// may have several databases in a row. The database itself refuses what two tenants would share.
std::string_view caches_sql() {
  return R"sql(
-- A Redis, whichever cells name it.
CREATE TABLE partywall.cache_servers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  address text NOT NULL UNIQUE
);

-- The caches of each cell, as its parts name them: what placements are checked against.
CREATE TABLE partywall.cell_caches (
  cell text NOT NULL REFERENCES partywall.cells ON DELETE CASCADE,
  name text NOT NULL,
  position integer NOT NULL,  -- the first is where a placement is that names none
  address text NOT NULL REFERENCES partywall.cache_servers (address),
  mode text NOT NULL CHECK (mode IN ('database', 'prefix')),
  PRIMARY KEY (cell, name),
  UNIQUE (cell, position)
);
CREATE INDEX cell_caches_address ON partywall.cell_caches (address);

WITH found AS (
  SELECT c.name AS cell, one.value ->> 'name' AS name, one.ordinality - 1 AS position,
         c.cache_server || CASE WHEN coalesce(one.value ->> 'primary_name', '') = '' THEN ''
                                ELSE ', ' || (one.value ->> 'primary_name') END AS address,
         c.parts -> 'cache' ->> 'mode' AS mode
    FROM partywall.cells c,
         jsonb_array_elements(c.parts -> 'cache' -> 'instances') WITH ORDINALITY one
   WHERE c.cache_server <> ''
), servers AS (
  INSERT INTO partywall.cache_servers (address) SELECT DISTINCT address FROM found
)
INSERT INTO partywall.cell_caches SELECT * FROM found;

ALTER TABLE partywall.placements
  ADD COLUMN cache_instance text NOT NULL DEFAULT '',
  -- So many databases in a row are kept for the tenant, whatever its limits say later.
  ADD COLUMN cache_databases integer NOT NULL DEFAULT 1 CHECK (cache_databases BETWEEN 1 AND 16),
  ADD COLUMN cache_tag text NOT NULL DEFAULT '',
  ADD COLUMN cache_placement text NOT NULL DEFAULT 'tagged'
    CHECK (cache_placement IN ('tagged', 'spread')),
  -- What follows is the trigger's, for uniqueness.
  ADD COLUMN cache_range int8range,                  -- databases, as numbers over all servers
  ADD COLUMN cache_key text NOT NULL DEFAULT '';     -- what its keys begin with, in prefix mode
DROP INDEX partywall.placements_cache;

CREATE OR REPLACE FUNCTION partywall.complete_placement() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  cache record;
  first_number bigint;
BEGIN
  -- A cell that is not there: the foreign key says so.
  SELECT CASE WHEN c.kind = 'dedicated' THEN c.name END INTO NEW.whole_cell
    FROM partywall.cells c WHERE c.name = NEW.cell;
  NEW.cache_server := '';
  NEW.cache_range := NULL;
  NEW.cache_key := '';
  SELECT c.name, c.address, c.mode INTO cache FROM partywall.cell_caches c
    WHERE c.cell = NEW.cell AND NEW.cache_instance IN ('', c.name) ORDER BY c.position LIMIT 1;
  IF NOT FOUND THEN
    IF NEW.cache_instance <> '' THEN
      RAISE EXCEPTION 'cell % has no cache named %, which holds a tenant''s keys', NEW.cell,
        NEW.cache_instance USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
  END IF;
  NEW.cache_instance := cache.name;
  NEW.cache_server := cache.address;
  IF cache.mode = 'prefix' THEN
    NEW.cache_key := CASE WHEN NEW.cache_tag = '' THEN NEW.tenant::text ELSE NEW.cache_tag END;
  ELSIF NEW.cache_database IS NULL THEN
    RAISE EXCEPTION 'a tenant in cell % needs a database in its cache', NEW.cell
      USING ERRCODE = 'foreign_key_violation';
  ELSE
    SELECT s.id * 2000000 + NEW.cache_database INTO STRICT first_number
      FROM partywall.cache_servers s WHERE s.address = cache.address;
    NEW.cache_range := int8range(first_number, first_number + NEW.cache_databases);
  END IF;
  RETURN NEW;
END $$;

UPDATE partywall.placements SET cell = cell;

-- Two tenants in one Redis database, or with one prefix, could read each other's keys.
ALTER TABLE partywall.placements ADD CONSTRAINT placements_cache_range
  EXCLUDE USING gist (cache_range WITH &&);
CREATE UNIQUE INDEX placements_cache_key ON partywall.placements (cache_server, cache_key)
  WHERE cache_key <> '';
CREATE INDEX placements_cache_server ON partywall.placements (cache_server)
  WHERE cache_server <> '';

DROP TRIGGER complete_placements ON partywall.cells;
CREATE TRIGGER complete_placements AFTER UPDATE ON partywall.cells FOR EACH ROW
  WHEN (OLD.kind <> NEW.kind) EXECUTE FUNCTION partywall.complete_placements_of_cell();
ALTER TABLE partywall.cells DROP COLUMN cache_server;
)sql";
}

}  // namespace partywall::store
