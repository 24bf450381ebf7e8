#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/strong_id.h"
#include "store/control/session.h"
#include "tenancy/tenant.h"

// Where the events of the store are sent, and how far that is. docs/webhooks.md
namespace partywall::store {

using WebhookId = StrongId<Uuid, struct WebhookIdTag>;

struct WebhookRecord {
  WebhookId id;
  std::string name;
  std::string url;
  std::vector<std::string> types;  // "tenant" or "tenant.suspended"; empty: all
  std::optional<TenantId> tenant;  // only what concerns it
  Secret secret;
  std::optional<Secret> former_secret;  // signs, too: it was replaced a short while ago
  int64_t delivered = 0;                // the last event that arrived, or was not for it
  uint32_t attempts = 0;                // for the event after it
  std::string message;                  // why the last one failed
  std::optional<WallTime> failing_since;
  WallTime next_at;
  bool is_paused = false;
  WallTime created_at;  // set by the store
};

inline constexpr uint32_t kMostWebhooks = 50;
inline constexpr Duration kFormerSecretSigns = hours(24);

// kConflict for a name that is taken; kInvalid beyond kMostWebhooks.
Result<> insert_webhook(Change& change, const WebhookRecord& webhook);
// By name.
Result<std::vector<WebhookRecord>> list_webhooks(Session& session);
Result<WebhookRecord> find_webhook(Session& session, std::string_view name);
Result<> remove_webhook(Change& change, std::string_view name);
// Resuming forgets the failures: it is tried at once.
enum class WebhookState : uint8_t { kActive, kPaused };
Result<> set_webhook_state(Change& change, std::string_view name, WebhookState state,
                           std::string_view why = "");
Result<> rotate_webhook_secret(Change& change, std::string_view name, const Secret& secret);

// Those that are not paused and whose pause after a failure is over.
Result<std::vector<WebhookRecord>> webhooks_due(Session& session);
// What was delivered, without an event: it would be sent, and noted, without end.
Result<> note_delivered(Change& change, WebhookId id, int64_t event);
Result<> note_failed(Change& change, WebhookId id, std::string_view message, Duration pause);

// The name of this store in ids of what is sent: another one after a restore that went back.
Result<std::string> store_incarnation(Session& session);

}  // namespace partywall::store
