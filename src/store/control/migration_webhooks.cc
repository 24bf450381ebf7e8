#include "store/control/migrations.h"

namespace partywall::store {

// docs/webhooks.md
std::string_view webhooks_sql() {
  return R"sql(
-- Where events are sent, in their order: those after `delivered` are to come.
CREATE TABLE partywall.webhooks (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE,
  url text NOT NULL,
  types jsonb NOT NULL,  -- of events; empty: all
  tenant uuid REFERENCES partywall.tenants ON DELETE CASCADE,
  secret text NOT NULL,  -- sealed
  former_secret text,    -- signs, too, until then
  former_until timestamptz,
  delivered bigint NOT NULL,
  attempts integer NOT NULL DEFAULT 0,  -- for the next event
  message text NOT NULL DEFAULT '',     -- why the last one failed
  failing_since timestamptz,
  next_at timestamptz NOT NULL DEFAULT now(),
  is_paused boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The hours of usage up to which `usage.hour` was told.
CREATE TABLE partywall.usage_told (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  until timestamptz NOT NULL
);
INSERT INTO partywall.usage_told (until) VALUES (date_trunc('hour', now(), 'UTC'));
)sql";
}

}  // namespace partywall::store
