#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "fleet/process/log_rotation.h"
#include "fleet/provider.h"
#include "fleet/restart_backoff.h"

namespace partywall::fleet {

struct ProcessProviderSettings {
  std::string
      directory{};  // records and output of the instances; made if it is not there, mode 0700
  RestartBackoffSettings backoff{};
  LogRotationSettings logs{};
};

// Runs instances as processes of this machine, on ports of 127.0.0.1. An instance that ends is
// started again, later each time it ends soon. Instances go on running when the provider goes: the
// next one with the same directory finds them by process id and start time. Thread-safe.
class ProcessProvider final : public Provider {
 public:
  static Result<std::unique_ptr<ProcessProvider>> start(ProcessProviderSettings settings,
                                                        const TimeSource& time);
  ~ProcessProvider() override;

  [[nodiscard]] Capabilities capabilities() const override;
  Result<std::vector<ObservedInstance>> observe(const GroupName& group) override;
  std::map<InstanceId, ResourceUse> measure(const GroupName& group) override;
  Result<> ensure(const GroupName& group, const InstanceSpec& spec, uint32_t count,
                  FencingNumber leader) override;
  Result<> remove(std::span<const InstanceId> ids, Duration drain) override;
  Result<> wait_until_gone(std::span<const InstanceId> ids, Duration patience) override;
  [[nodiscard]] std::shared_ptr<void> watch(OnChange on_change) override;

 private:
  struct Impl;
  explicit ProcessProvider(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::fleet
