#include "embedded/engine_host.h"

#include <thread>

#include "embedded/run_command.h"
#include "fleet/process/free_port.h"

namespace partywall::embedded {
namespace {

constexpr Duration kPollInterval = milliseconds(50);
constexpr Duration kStartPatience = minutes(1);

}  // namespace

Result<uint16_t> engine_port(fleet::Provider& provider, const fleet::GroupName& group) {
  const auto observed = provider.observe(group);
  if (!observed) return std::unexpected(observed.error());
  for (const fleet::ObservedInstance& instance : *observed) {
    if (instance.state == fleet::InstanceState::kRunning) return instance.endpoint.port;
  }
  return fleet::find_free_loopback_port();
}

Result<> run_engine(const EngineHost& host, const fleet::GroupName& group,
                    const fleet::InstanceSpec& spec, const std::function<bool()>& is_ready) {
  if (auto begun = host.provider.ensure(group, spec, 1, kOnlyLeader); !begun) return begun;
  const std::string log = host.directory.file(fmt::format("fleet/{}-1.log", group.value()));
  const std::string digest = spec.digest();
  for (Duration waited{}; waited < kStartPatience; waited += kPollInterval) {
    const auto observed = host.provider.observe(group);
    if (!observed) return std::unexpected(observed.error());
    for (const fleet::ObservedInstance& instance : *observed) {
      if (instance.restarts > 0) {
        return fail(ErrorKind::kUnavailable, "{} does not stay up ({}){}", group.value(),
                    instance.last_exit, last_lines(log));
      }
      const bool is_current =
          instance.spec_digest == digest && instance.state == fleet::InstanceState::kRunning;
      if (is_current && is_ready()) return {};
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return fail(ErrorKind::kTimeout, "{} does not answer after {} s{}", group.value(),
              kStartPatience / seconds(1), last_lines(log));
}

}  // namespace partywall::embedded
