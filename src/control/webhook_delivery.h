#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/random.h"
#include "base/secret.h"
#include "fetch/message.h"
#include "store/control/events.h"
#include "store/control/webhooks.h"

// What is sent to a webhook, and what follows from the answer; pure. docs/webhooks.md
namespace partywall::control {

inline constexpr Duration kWebhookTimeout = seconds(10);
inline constexpr Duration kWebhookGivesUpAfter = hours(72);
inline constexpr BackoffSettings kWebhookBackoff{.first = seconds(5), .longest = hours(1)};

// "whsec_" and 32 random bytes in base64.
[[nodiscard]] Secret make_webhook_secret(Random& random);

// kInvalid for what is not https, or http to a loopback address.
Result<> check_webhook_url(std::string_view url);

[[nodiscard]] bool is_for(const store::WebhookRecord& webhook, const store::Event& event);

// A CloudEvents 1.0 event in structured JSON.
[[nodiscard]] std::string to_cloud_event(const store::Event& event, std::string_view incarnation);

// The request, with the signatures of Standard Webhooks (https://www.standardwebhooks.com).
[[nodiscard]] fetch::Request to_request(const store::WebhookRecord& webhook,
                                        const store::Event& event, std::string_view incarnation,
                                        WallTime now);

// After an attempt: delivered, or tried again after a pause, or paused for good.
struct DeliveryOutcome {
  enum class Next : uint8_t { kDelivered, kTryAgain, kPause };
  Next next = Next::kDelivered;
  std::string message{};  // why it was not delivered
  Duration pause{};       // until it is tried again
};
[[nodiscard]] DeliveryOutcome judge_delivery(const store::WebhookRecord& webhook,
                                             const Result<fetch::Response>& answer, WallTime now,
                                             Random& random);

}  // namespace partywall::control
