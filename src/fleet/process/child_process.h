#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/process/process_identity.h"

namespace partywall::fleet {

struct SpawnRequest {
  std::vector<std::string> command{};      // an absolute path, or a name to look up in PATH
  std::vector<std::string> environment{};  // "NAME=value", all of it
  std::string working_directory{};         // empty: ours
  std::string output_file{};               // appended to; empty: discarded
};

// A process that we started, or found again after a restart of ours. It has a session of its own,
// so that Ctrl-C in our terminal is ours to handle. Destroying the object does not end the process.
class ChildProcess {
 public:
  static Result<ChildProcess> spawn(const SpawnRequest& request);
  // Nothing if that very process no longer runs.
  static std::optional<ChildProcess> adopt(const ProcessIdentity& identity);

  [[nodiscard]] const ProcessIdentity& identity() const { return identity_; }
  // Becomes readable when the process has ended.
  [[nodiscard]] int poll_descriptor() const { return handle_.number(); }
  // Waits for the end: true if it has come within `timeout`.
  [[nodiscard]] bool wait(Duration timeout) const;
  // A process that has ended already is no failure.
  void signal(int number) const;
  // Ends the process and, where it is safe to say who they are, those that it started.
  void kill_group() const;
  // To be called once after the end: what to tell people, such as "exit status 3". Processes that
  // we did not start ourselves have no status.
  std::string reap();

 private:
  ChildProcess(ProcessIdentity identity, FileDescriptor handle, bool is_ours)
      : identity_(std::move(identity)), handle_(std::move(handle)), is_ours_(is_ours) {}

  ProcessIdentity identity_;
  FileDescriptor handle_;  // a pidfd: signals sent through it never reach a successor of the pid
  bool is_ours_ = false;
};

// Asks with `signal_number`, waits up to `patience`, then kills. Returns what reap() says.
std::string stop_process(ChildProcess& process, int signal_number, Duration patience);

}  // namespace partywall::fleet
