#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "base/file_descriptor.h"
#include "control/lease_keeper.h"
#include "control/webhook_delivery.h"
#include "fetch/client.h"
#include "store/control/control_store.h"

namespace partywall::control {

// Sends events to webhooks while this instance leads, on a thread of its own: receivers may be
// slow.
class WebhookSender {
 public:
  // All of them outlive the sender. `settings` listen to events. `actor`: "control node-1", for the
  // audit trail.
  WebhookSender(store::ControlStoreSettings settings, std::string actor, const LeaseKeeper& lease,
                const TimeSource& time, Random& random);
  ~WebhookSender();

  // Ends after the attempt that is under way.
  void stop();

 private:
  void run();
  Result<> send_due(int64_t fence);
  // Whether it has anything left to send now.
  Result<bool> send_some(const store::WebhookRecord& webhook, std::string_view incarnation,
                         int64_t fence);
  Result<> note(const store::WebhookRecord& webhook, int64_t event, const DeliveryOutcome& outcome,
                int64_t fence);
  [[nodiscard]] store::Author author(int64_t fence) const;
  Result<> wait();
  void pause(Duration duration);

  const std::string actor_;
  const LeaseKeeper& lease_;
  const TimeSource& time_;
  Random& random_;
  store::ControlStore store_;
  fetch::Client client_;
  bool has_more_ = false;
  std::atomic<bool> stopping_{false};
  FileDescriptor wake_;  // an eventfd
  std::thread thread_;   // last: it uses all of them
};

}  // namespace partywall::control
