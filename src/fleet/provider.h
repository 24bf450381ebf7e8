#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/strong_id.h"
#include "base/time.h"

// An engine that runs application instances: processes here, containers, pods or machines
// elsewhere. Level-triggered: callers say what should be, look at what is, and say it again; every
// call may be repeated.
namespace partywall::fleet {

// A set of equal instances: 1-40 of a-z 0-9 '-', starting with a letter.
using GroupName = StrongId<std::string, struct GroupNameTag>;
// "<group>-<n>", n from 1: deterministic, so that asking twice does not start two.
using InstanceId = StrongId<std::string, struct InstanceIdTag>;
// Of the leader that asks. A provider of our own refuses an intent older than one it has seen.
using FencingNumber = StrongId<uint64_t, struct FencingNumberTag>;

struct InstanceSpec {
  std::string version{};  // what runs, for people: an image tag, a commit
  // Program and arguments; "{port}" is replaced by the port that the instance is to listen at.
  std::vector<std::string> command{};
  // The whole environment beside PATH and PORT: nothing else is inherited.
  std::map<std::string, Secret> environment{};
  std::string working_directory{};
  uint16_t port = 0;                 // 0: the provider chooses; otherwise only for groups of one
  std::string stop_signal = "TERM";  // what asks it to end: TERM, INT or QUIT

  // Tells two specs apart without holding what is secret in them: hex SHA-256.
  [[nodiscard]] std::string digest() const;
};

enum class InstanceState {
  kRunning,   // the process is there; whether it is healthy is the doors' to find out
  kWaiting,   // it ended and is started again after a pause
  kStopping,  // asked to end
};

std::string_view to_string(InstanceState state);

struct ObservedInstance {
  InstanceId id;
  InstanceState state = InstanceState::kRunning;
  Endpoint endpoint{};
  std::string spec_digest{};
  int process_id = 0;  // 0: none now
  uint32_t restarts = 0;
  WallTime since{};            // when it got into this state
  std::string last_exit = "";  // why it ended the last time; empty: it never did
};

struct Capabilities {
  bool restarts_in_place = false;     // an instance that ends comes back under the same id
  bool survives_our_restart = false;  // instances go on when this process ends, and are found again
  bool limits_memory = false;
  bool several_machines = false;
};

// What an instance takes of its machine.
struct ResourceUse {
  Duration processor_time{};  // since its processes started: it grows, until one of them ends
  uint64_t memory_bytes = 0;  // resident now
};

class Provider {
 public:
  using OnChange = std::function<void(const GroupName&)>;

  virtual ~Provider() = default;

  [[nodiscard]] virtual Capabilities capabilities() const = 0;

  // What is there now; an unknown group has no instances.
  virtual Result<std::vector<ObservedInstance>> observe(const GroupName& group) = 0;

  // What the instances of the group use, as far as it is known.
  virtual std::map<InstanceId, ResourceUse> measure(const GroupName& group) = 0;

  // Makes `count` instances run `spec` and replaces those that run another one: starts what is
  // missing, and where there are too many, removes those that came last. Returns when this
  // is recorded and begun, not when it is done. kDenied: a newer leader has spoken.
  virtual Result<> ensure(const GroupName& group, const InstanceSpec& spec, uint32_t count,
                          FencingNumber leader) = 0;

  // Begins to stop these instances for good: asks them to end, and ends them after `drain`. From
  // now on they do not count for ensure(). Unknown ids are ignored.
  virtual Result<> remove(std::span<const InstanceId> ids, Duration drain) = 0;

  // Waits until none of them is there any more. kTimeout: some still are.
  virtual Result<> wait_until_gone(std::span<const InstanceId> ids, Duration patience) = 0;

  // Calls back, on a thread of the provider's, after something about the group has changed. As long
  // as the handle lives; dropping it waits for a callback that is running.
  [[nodiscard]] virtual std::shared_ptr<void> watch(OnChange on_change) = 0;
};

Result<> check_spec(const InstanceSpec& spec, uint32_t count);
Result<> check_group_name(std::string_view name);

}  // namespace partywall::fleet
