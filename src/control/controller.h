#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/file_descriptor.h"
#include "control/engines.h"
#include "control/lease_keeper.h"
#include "control/operation_runner.h"
#include "control/tenant_provisioning.h"
#include "control/webhook_sender.h"

namespace partywall::control {

struct ControllerSettings {
  store::ControlStoreSettings store;
  std::string name;  // of this instance, for people; need not be unique
  Duration lease = seconds(10);
  Duration look = seconds(1);              // between two reconciliations of what is in the store
  Duration engines_interval = minutes(1);  // between two reconciliations of all engines
  Duration cleaning_interval = minutes(10);
};

// One control instance: while it holds the lease it runs operations and reconciles; otherwise it
// waits. Several may run.
class Controller {
 public:
  // All of them outlive the controller.
  Controller(ControllerSettings settings, Engines& engines, const TimeSource& time, Random& random);
  ~Controller();

  // Ends after the current step, and gives the lease back.
  void stop();

 private:
  void run();
  Result<> work(int64_t fence);
  Result<> reconcile(const store::Author& author, int64_t fence);
  Result<> wait();
  void pause(Duration duration);

  ControllerSettings settings_;
  Engines& engines_;
  const TimeSource& time_;
  Random& random_;
  std::string holder_;  // unique
  store::ControlStore store_;
  TenantProvisioning provisioning_;
  OperationRunner runner_;
  LeaseKeeper lease_;
  MonotonicTime reconciling_due_{};
  MonotonicTime engines_due_{};
  MonotonicTime cleaning_due_{};
  int64_t announced_fence_ = 0;
  std::atomic<bool> stopping_{false};
  FileDescriptor wake_;  // an eventfd
  WebhookSender webhooks_;
  std::thread thread_;  // last: it uses all of them
};

}  // namespace partywall::control
