#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "fleet/process/child_process.h"
#include "fleet/process/group_record.h"
#include "fleet/provider.h"
#include "fleet/restart_backoff.h"

namespace partywall::fleet {

// What an instance should be.
struct InstanceGoal {
  std::shared_ptr<const InstanceSpec> spec;  // null: it should be gone
  std::string digest;                        // of the spec
  Duration drain = seconds(10);              // between asking it to end and ending it
};

// Where an instance's files go, and which ports are spoken for.
struct InstancePlace {
  std::string log_path;
  std::vector<uint16_t> taken_ports;
};

// One instance of the process provider, through all the processes it consists of over time. step()
// brings it nearer to its goal and never waits.
class ManagedInstance {
 public:
  ManagedInstance(InstanceId id, uint32_t ordinal, RestartBackoffSettings backoff);
  // One that an earlier run of ours has started; without a process if it has ended since.
  ManagedInstance(InstanceId id, const InstanceRecord& record, RestartBackoffSettings backoff,
                  const TimeSource& time);

  void set_goal(InstanceGoal goal);
  [[nodiscard]] bool is_unwanted() const { return goal_ && !goal_->spec; }
  [[nodiscard]] bool is_gone() const { return is_unwanted() && !process_; }

  // Returns whether anything changed.
  bool step(const InstancePlace& place, const TimeSource& time);
  // When step() is wanted next although nothing has happened.
  [[nodiscard]] std::optional<MonotonicTime> next_step() const;
  // Readable when step() is wanted; -1: there is no process.
  [[nodiscard]] int poll_descriptor() const { return process_ ? process_->poll_descriptor() : -1; }

  [[nodiscard]] ObservedInstance observe() const;
  [[nodiscard]] std::optional<InstanceRecord> record() const;  // nothing without a process
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  void start(const InstancePlace& place, const TimeSource& time);
  Result<> prepare_port(const InstancePlace& place);
  Result<ChildProcess> spawn(const InstancePlace& place);
  void on_exit(const TimeSource& time);
  void wait_before_restart(Duration ran, const TimeSource& time);
  void set_state(InstanceState state, const TimeSource& time);

  InstanceId id_;
  uint32_t ordinal_ = 0;
  RestartBackoff backoff_;
  std::optional<InstanceGoal> goal_;  // none yet: found, and nobody has said what it should be
  std::optional<ChildProcess> process_;
  std::string digest_;  // of what the process was started as
  uint16_t port_ = 0;
  int stop_signal_ = SIGTERM;
  InstanceState state_ = InstanceState::kWaiting;
  WallTime since_{};
  MonotonicTime started_at_{};
  MonotonicTime restart_at_{};
  MonotonicTime kill_at_{};  // while stopping
  uint32_t restarts_ = 0;
  std::string last_exit_;
};

}  // namespace partywall::fleet
