#include "store/control/migrations.h"

namespace partywall::store {

// What Directory is made of. Limits and the parts of a cell are documents: their members change
// from release to release, and their readers check them (tenancy/terms.h, cell_document.h). Columns
// named sealed_* are base64 of identity/sealing_key.h.
std::string_view directory_tables_sql() {
  return R"sql(
CREATE TABLE partywall.tiers (
  name text PRIMARY KEY,
  terms jsonb NOT NULL,
  version bigint NOT NULL DEFAULT 0
);

CREATE TABLE partywall.cells (
  name text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('shared', 'dedicated')),
  region text NOT NULL DEFAULT '',
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'draining', 'down')),
  max_tenants integer NOT NULL DEFAULT 1000 CHECK (max_tenants >= 0),
  cache_server text NOT NULL DEFAULT '',  -- address of its Redis; empty: none
  parts jsonb NOT NULL,
  sealed_secrets jsonb NOT NULL,  -- by name, each sealed for this cell and name
  version bigint NOT NULL DEFAULT 0
);

CREATE TABLE partywall.tenants (
  id uuid PRIMARY KEY,
  slug text COLLATE "C" NOT NULL,
  name text NOT NULL DEFAULT '',
  tier text NOT NULL REFERENCES partywall.tiers,
  region text NOT NULL DEFAULT '',
  status text NOT NULL CHECK (status IN ('requested', 'provisioning', 'active', 'read_only',
                                         'suspended', 'offboarding', 'erasing', 'erased')),
  legal_hold boolean NOT NULL DEFAULT false,
  grace_ends_at timestamptz,  -- while offboarding: erasing may begin then
  version bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX tenants_slug ON partywall.tenants (slug) WHERE status <> 'erased';
CREATE INDEX tenants_in_order ON partywall.tenants (slug, id);
CREATE INDEX tenants_tier ON partywall.tenants (tier);

-- Where a tenant is, and where it is going while it moves.
CREATE TABLE partywall.placements (
  tenant uuid NOT NULL REFERENCES partywall.tenants ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('current', 'target')),
  cell text NOT NULL REFERENCES partywall.cells,
  cache_database integer CHECK (cache_database BETWEEN 0 AND 1000000),
  cache_server text NOT NULL DEFAULT '',  -- the cell's, see the trigger
  whole_cell text UNIQUE,                 -- the cell, if it is dedicated: it has room for one
  PRIMARY KEY (tenant, role)
);
CREATE INDEX placements_cell ON partywall.placements (cell);
-- Two tenants in one Redis database could read each other's keys.
CREATE UNIQUE INDEX placements_cache ON partywall.placements (cache_server, cache_database)
  WHERE cache_server <> '';

-- Single limits of a tenant that differ from its tier's.
CREATE TABLE partywall.overrides (
  tenant uuid NOT NULL REFERENCES partywall.tenants ON DELETE CASCADE,
  term text NOT NULL,
  value jsonb NOT NULL,
  expires_at timestamptz,
  reason text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant, term)
);
CREATE INDEX overrides_expiry ON partywall.overrides (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE partywall.routes (
  path_prefix text PRIMARY KEY,
  pool text NOT NULL,
  authenticated boolean NOT NULL,
  version bigint NOT NULL DEFAULT 0
);

CREATE TABLE partywall.issuers (
  issuer text PRIMARY KEY,
  audience text NOT NULL,
  tenant_claim text NOT NULL,
  default_algorithm text NOT NULL,
  leeway_ms integer NOT NULL,
  sealed_key_set text NOT NULL,  -- may hold symmetric keys
  version bigint NOT NULL DEFAULT 0
);

CREATE TABLE partywall.context_keys (
  id smallint PRIMARY KEY CHECK (id BETWEEN 0 AND 255),
  position integer NOT NULL,  -- the lowest one signs
  sealed_key text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 0
);

CREATE TABLE partywall.sql_logins (
  user_name text PRIMARY KEY,
  class text NOT NULL CHECK (class IN ('bound', 'application', 'asserting', 'migration')),
  verifier text NOT NULL,
  database text NOT NULL DEFAULT '',
  cell text REFERENCES partywall.cells,
  tenant uuid REFERENCES partywall.tenants ON DELETE CASCADE,
  addresses jsonb NOT NULL DEFAULT '[]',
  version bigint NOT NULL DEFAULT 0,
  CHECK ((class = 'bound') = (tenant IS NOT NULL) AND (class = 'bound') = (cell IS NULL))
);
CREATE INDEX sql_logins_tenant ON partywall.sql_logins (tenant);

CREATE TABLE partywall.cache_logins (
  user_name text PRIMARY KEY,
  secret_sha256 text,  -- 64 hexadecimal digits; an application's has none
  tenant uuid REFERENCES partywall.tenants ON DELETE CASCADE,
  version bigint NOT NULL DEFAULT 0,
  CHECK ((tenant IS NULL) = (secret_sha256 IS NULL))
);
CREATE INDEX cache_logins_tenant ON partywall.cache_logins (tenant);
)sql";
}

std::string_view directory_triggers_sql() {
  return R"sql(
DO $$
DECLARE
  entry record;
BEGIN
  FOR entry IN SELECT * FROM (VALUES
    ('tiers', 'tier', 'name'), ('cells', 'cell', 'name'), ('tenants', 'tenant', 'id'),
    ('routes', 'route', 'path_prefix'), ('issuers', 'issuer', 'issuer'),
    ('context_keys', 'context_key', 'id'), ('sql_logins', 'sql_login', 'user_name'),
    ('cache_logins', 'cache_login', 'user_name')) AS t (name, kind, key)
  LOOP
    EXECUTE format('CREATE TRIGGER stamp_insert BEFORE INSERT ON partywall.%I FOR EACH ROW
                    EXECUTE FUNCTION partywall.stamp_row()', entry.name);
    EXECUTE format('CREATE TRIGGER stamp_update BEFORE UPDATE ON partywall.%I FOR EACH ROW
                    WHEN (OLD.* IS DISTINCT FROM NEW.*)
                    EXECUTE FUNCTION partywall.stamp_row()', entry.name);
    EXECUTE format('CREATE TRIGGER note_new AFTER INSERT OR DELETE ON partywall.%I FOR EACH ROW
                    EXECUTE FUNCTION partywall.note_row(%L, %L)', entry.name, entry.kind, entry.key);
    EXECUTE format('CREATE TRIGGER note_update AFTER UPDATE ON partywall.%I FOR EACH ROW
                    WHEN (OLD.* IS DISTINCT FROM NEW.*)
                    EXECUTE FUNCTION partywall.note_row(%L, %L)', entry.name, entry.kind, entry.key);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON partywall.%I
                    EXECUTE FUNCTION partywall.refuse_truncate()', entry.name);
  END LOOP;
END $$;

-- What belongs to a tenant changes the tenant: its version, and its place in the feed.
CREATE FUNCTION partywall.touch_tenant() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old_tenant uuid := CASE WHEN TG_OP <> 'INSERT' THEN OLD.tenant END;
  new_tenant uuid := CASE WHEN TG_OP <> 'DELETE' THEN NEW.tenant END;
BEGIN
  UPDATE partywall.tenants SET version = partywall.next_version(), updated_at = now()
    WHERE id IN (old_tenant, new_tenant);
  RETURN NULL;
END $$;
CREATE TRIGGER touch_tenant AFTER INSERT OR UPDATE OR DELETE ON partywall.placements
  FOR EACH ROW EXECUTE FUNCTION partywall.touch_tenant();
CREATE TRIGGER touch_tenant AFTER INSERT OR UPDATE OR DELETE ON partywall.overrides
  FOR EACH ROW EXECUTE FUNCTION partywall.touch_tenant();
CREATE TRIGGER touch_tenant AFTER INSERT OR UPDATE OR DELETE ON partywall.sql_logins
  FOR EACH ROW EXECUTE FUNCTION partywall.touch_tenant();
CREATE TRIGGER touch_tenant AFTER INSERT OR UPDATE OR DELETE ON partywall.cache_logins
  FOR EACH ROW EXECUTE FUNCTION partywall.touch_tenant();

CREATE FUNCTION partywall.stamp_time() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER stamp_time BEFORE UPDATE ON partywall.tenants FOR EACH ROW
  WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION partywall.stamp_time();

-- A placement knows what its uniqueness is about.
CREATE FUNCTION partywall.complete_placement() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  SELECT CASE WHEN NEW.cache_database IS NULL THEN '' ELSE c.cache_server END,
         CASE WHEN c.kind = 'dedicated' THEN c.name END
    INTO NEW.cache_server, NEW.whole_cell
    FROM partywall.cells c WHERE c.name = NEW.cell;
  -- A cell that is not there: the foreign key says so.
  NEW.cache_server := coalesce(NEW.cache_server, '');
  RETURN NEW;
END $$;
CREATE TRIGGER complete_placement BEFORE INSERT OR UPDATE ON partywall.placements
  FOR EACH ROW EXECUTE FUNCTION partywall.complete_placement();

CREATE FUNCTION partywall.complete_placements_of_cell() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE partywall.placements SET cell = cell WHERE cell = NEW.name;
  RETURN NULL;
END $$;
CREATE TRIGGER complete_placements AFTER UPDATE ON partywall.cells FOR EACH ROW
  WHEN (OLD.cache_server <> NEW.cache_server OR OLD.kind <> NEW.kind)
  EXECUTE FUNCTION partywall.complete_placements_of_cell();
)sql";
}

}  // namespace partywall::store
