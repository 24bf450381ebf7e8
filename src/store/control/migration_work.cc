#include "store/control/migrations.h"

namespace partywall::store {

std::string_view work_tables_sql() {
  return R"sql(
-- One row a lease. Whoever holds it writes with its fence, and a new holder gets a higher one.
CREATE TABLE partywall.leases (
  name text PRIMARY KEY,
  holder text NOT NULL,
  fence bigint NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Work that takes more than one transaction. `state` is the machine's own, saved after each step.
CREATE TABLE partywall.operations (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  tenant uuid,  -- no reference: what was done outlives the tenant
  subject text NOT NULL,
  status text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
  step text NOT NULL,
  state jsonb NOT NULL DEFAULT '{}',
  progress_done bigint NOT NULL DEFAULT 0,
  progress_total bigint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,  -- of the current step
  message text NOT NULL DEFAULT '',     -- why it waits or failed
  actor text NOT NULL,
  reason text NOT NULL DEFAULT '',
  run_after timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1
);
CREATE INDEX operations_due ON partywall.operations (run_after) WHERE status = 'running';
CREATE INDEX operations_tenant ON partywall.operations (tenant, created_at);
CREATE INDEX operations_created ON partywall.operations (created_at, id);
-- One at a time works on a tenant.
CREATE UNIQUE INDEX operations_tenant_running ON partywall.operations (tenant)
  WHERE status = 'running';

-- The answer to a request that may be sent again.
CREATE TABLE partywall.idempotency_keys (
  principal text NOT NULL,
  key text NOT NULL,
  request_sha256 text NOT NULL,
  status integer NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_age ON partywall.idempotency_keys (created_at);

-- What happened, for people and webhooks; without secrets. Ids have no gaps and become visible in
-- their order: partywall.head counts them.
CREATE TABLE partywall.events (
  id bigint PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  type text NOT NULL,
  tenant uuid,
  subject text NOT NULL,
  actor text NOT NULL,
  data jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX events_tenant ON partywall.events (tenant, id);

-- Who did what and why; taken from here into the audit log.
CREATE TABLE partywall.audit_outbox (
  event bigint PRIMARY KEY REFERENCES partywall.events,
  reason text NOT NULL,
  request_id text NOT NULL,
  address text NOT NULL
);

CREATE FUNCTION partywall.add_event(type text, tenant uuid, subject text, actor text, data jsonb)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  result bigint;
BEGIN
  UPDATE partywall.head SET event = event + 1 RETURNING event INTO STRICT result;
  INSERT INTO partywall.events (id, type, tenant, subject, actor, data)
    VALUES (result, type, tenant, subject, actor, data);
  PERFORM pg_notify('partywall_events', result::text);
  RETURN result;
END $$;

-- Nodes say what they serve.
CREATE TABLE partywall.nodes (
  name text PRIMARY KEY,
  directory_version bigint NOT NULL,
  release text NOT NULL,
  doors jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE partywall.admin_tokens (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('viewer', 'operator', 'owner', 'tenant-admin')),
  tenant uuid REFERENCES partywall.tenants ON DELETE CASCADE,
  secret_sha256 text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  CHECK ((role = 'tenant-admin') = (tenant IS NOT NULL))
);
)sql";
}

}  // namespace partywall::store
