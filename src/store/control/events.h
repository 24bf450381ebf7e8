#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/control/session.h"
#include "tenancy/tenant.h"

namespace partywall::store {

// What happened, in its order: ids have no gaps and become visible in their order, so that whoever
// has read up to one has missed nothing before it. PostgreSQL notifies the channel
// `partywall_events` with the id.
struct Event {
  int64_t id = 0;
  WallTime at;
  std::string type;  // "tenant.suspended"
  std::optional<TenantId> tenant;
  std::string subject;  // a slug, a name
  std::string actor;
  JsonValue data;  // an object
};

struct EventFilter {
  std::optional<TenantId> tenant;
  std::string
      type;  // "tenant.suspended", or "tenant" for all that begin with "tenant."; empty: any
};

// The first `most` events after `after`.
Result<std::vector<Event>> events_after(Session& session, int64_t after, const EventFilter& filter,
                                        uint32_t most);
// The id of the last one; 0: there is none.
Result<int64_t> last_event(Session& session);

// The audit trail that is not taken out of the store yet: an event with who asked for it and why.
struct AuditEntry {
  Event event;
  std::string reason;
  std::string request_id;
  std::string address;
};
Result<std::vector<AuditEntry>> audit_outbox(Session& session, uint32_t most);
// Removes entries up to this event from the outbox, when they are safe elsewhere.
Result<> remove_from_audit_outbox(Change& change, int64_t up_to_event);

}  // namespace partywall::store
