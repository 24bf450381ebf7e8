#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <poll.h>

#include "fleet/process/managed_instance.h"

namespace partywall::fleet {

// The instances of one group and the file in which they are recorded. Never waits; not thread-safe.
class ProcessGroup {
 public:
  ProcessGroup(GroupName name, const std::string& directory, RestartBackoffSettings backoff);
  // Finds the instances of an earlier run.
  static Result<ProcessGroup> load(const std::string& record_file, const std::string& directory,
                                   RestartBackoffSettings backoff, const TimeSource& time);

  [[nodiscard]] const GroupName& name() const { return name_; }

  Result<> ensure(const InstanceSpec& spec, uint32_t count, FencingNumber leader);
  void remove(const InstanceId& id, Duration drain);
  [[nodiscard]] bool has(const InstanceId& id) const;

  // Steps each instance, forgets those that are gone, and records what changed; returns whether
  // anything did.
  bool step(const std::vector<uint16_t>& taken_ports, const TimeSource& time);
  [[nodiscard]] std::optional<MonotonicTime> next_step() const;
  void add_poll_descriptors(std::vector<pollfd>& into) const;

  [[nodiscard]] std::vector<ObservedInstance> observe() const;
  [[nodiscard]] std::vector<std::string> log_paths() const;

 private:
  [[nodiscard]] InstanceId id_of(uint32_t ordinal) const;
  [[nodiscard]] std::string log_path_of(uint32_t ordinal) const;
  [[nodiscard]] Result<> save() const;

  GroupName name_;
  std::string directory_;
  RestartBackoffSettings backoff_;
  FencingNumber leader_;
  std::map<uint32_t, ManagedInstance> instances_;  // by ordinal
};

inline constexpr std::string_view kGroupRecordSuffix = ".group";

}  // namespace partywall::fleet
