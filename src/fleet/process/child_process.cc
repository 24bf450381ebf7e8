#include "fleet/process/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/log.h"

extern "C" {  // glibc 2.36 forgets to say so itself
#include <sys/pidfd.h>
}

namespace partywall::fleet {
namespace {

// posix_spawn's two option objects, set up for a child of ours.
class SpawnOptions {
 public:
  SpawnOptions() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  void set_up(const SpawnRequest& request) {
    const std::string output = request.output_file.empty() ? "/dev/null" : request.output_file;
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    // Whatever of ours was opened without close-on-exec (by a library) must not get into a tenant's
    // application.
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    if (!request.working_directory.empty()) {
      posix_spawn_file_actions_addchdir_np(&actions_, request.working_directory.c_str());
    }
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string describe_end(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return fmt::format("exit status {}", info.si_status);
  const char* name = sigabbrev_np(info.si_status);
  return fmt::format("killed by SIG{}", name ? name : std::to_string(info.si_status));
}

}  // namespace

Result<ChildProcess> ChildProcess::spawn(const SpawnRequest& request) {
  if (request.command.empty()) return fail(ErrorKind::kInvalid, "there is no command to start");
  const std::string& program = request.command.front();
  SpawnOptions options;
  options.set_up(request);
  const auto arguments = pointers_to(request.command);
  const auto environment = pointers_to(request.environment);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, program.c_str(), options.actions(), options.attributes(),
                                 arguments.data(), environment.data());
  if (error != 0) {
    return fail(
        ErrorKind::kUnavailable, "cannot start {} in {}: {}", program,
        request.working_directory.empty() ? "the current directory" : request.working_directory,
        std::strerror(error));
  }
  // The child is not waited for before this, so its pid cannot have been given to another.
  FileDescriptor handle(pidfd_open(pid, 0));
  if (!handle.valid()) {
    const std::string reason = std::strerror(errno);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(ErrorKind::kUnavailable, "cannot watch {}: pidfd_open: {} (needs Linux 5.4)",
                program, reason);
  }
  // A child that has ended already has no identity that would ever be asked for.
  const auto identity = identify_process(pid);
  return ChildProcess(identity.value_or(ProcessIdentity{.pid = pid}), std::move(handle), true);
}

std::optional<ChildProcess> ChildProcess::adopt(const ProcessIdentity& identity) {
  if (identity.pid <= 0) return std::nullopt;
  FileDescriptor handle(pidfd_open(identity.pid, 0));
  // The look comes after the open: from here on the handle and the pid mean the same process.
  if (!handle.valid() || !is_running(identity)) return std::nullopt;
  return ChildProcess(identity, std::move(handle), false);
}

bool ChildProcess::wait(Duration timeout) const {
  pollfd entry{.fd = handle_.number(), .events = POLLIN, .revents = 0};
  const auto milliseconds_left = std::chrono::ceil<milliseconds>(timeout).count();
  int ready = -1;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(milliseconds_left));
  } while (ready < 0 && errno == EINTR);  // then the time begins anew: rare, and only longer
  return ready > 0;
}

void ChildProcess::signal(int number) const {
  if (pidfd_send_signal(handle_.number(), number, nullptr, 0) != 0 && errno != ESRCH) {
    log_warning("cannot signal a process",
                {{"pid", identity_.pid}, {"signal", number}, {"error", std::strerror(errno)}});
  }
}

void ChildProcess::kill_group() const {
  // While the process runs, or is our own zombie, its number cannot name another group.
  if (is_ours_ || is_running(identity_)) ::kill(-identity_.pid, SIGKILL);
  signal(SIGKILL);
}

std::string ChildProcess::reap() {
  if (!is_ours_) return "ended";
  siginfo_t info{};
  ::kill(-identity_.pid, SIGKILL);  // what it left behind; it is still our zombie
  if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(handle_.number()), &info,
               WEXITED) != 0)
    return "ended";
  is_ours_ = false;
  return describe_end(info);
}

std::string stop_process(ChildProcess& process, int signal_number, Duration patience) {
  process.signal(signal_number);
  if (!process.wait(patience)) {
    process.kill_group();
    (void)process.wait(seconds(5));
  }
  return process.reap();
}

}  // namespace partywall::fleet
