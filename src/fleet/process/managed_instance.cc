#include "fleet/process/managed_instance.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "base/log.h"
#include "fleet/process/free_port.h"

namespace partywall::fleet {
namespace {

constexpr Duration kKillAgainAfter = seconds(1);
constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string replace_port(std::string word, uint16_t port) {
  constexpr std::string_view kPlaceholder = "{port}";
  for (size_t at = word.find(kPlaceholder); at != std::string::npos; at = word.find(kPlaceholder)) {
    word.replace(at, kPlaceholder.size(), std::to_string(port));
  }
  return word;
}

std::vector<std::string> make_environment(const InstanceSpec& spec, uint16_t port) {
  std::vector<std::string> environment;
  if (!spec.environment.contains("PATH"))
    environment.push_back(fmt::format("PATH={}", kDefaultPath));
  environment.push_back(fmt::format("PORT={}", port));
  for (const auto& [name, value] : spec.environment) {
    if (name != "PORT") environment.push_back(fmt::format("{}={}", name, value.reveal()));
  }
  return environment;
}

int signal_number(std::string_view name) {
  return name == "INT" ? SIGINT : name == "QUIT" ? SIGQUIT : SIGTERM;
}

Result<uint16_t> choose_port(const std::vector<uint16_t>& taken) {
  constexpr int kAttempts = 100;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto port = find_free_loopback_port();
    if (!port || std::ranges::find(taken, *port) == taken.end()) return port;
  }
  return fail(ErrorKind::kUnavailable, "no free port on 127.0.0.1");
}

}  // namespace

ManagedInstance::ManagedInstance(InstanceId id, uint32_t ordinal, RestartBackoffSettings backoff)
    : id_(std::move(id)), ordinal_(ordinal), backoff_(backoff) {}

ManagedInstance::ManagedInstance(InstanceId id, const InstanceRecord& record,
                                 RestartBackoffSettings backoff, const TimeSource& time)
    : id_(std::move(id)),
      ordinal_(record.ordinal),
      backoff_(backoff),
      process_(ChildProcess::adopt(record.process)),
      digest_(record.spec_digest),
      port_(record.port),
      started_at_(time.monotonic()) {
  set_state(process_ ? InstanceState::kRunning : InstanceState::kWaiting, time);
}

void ManagedInstance::set_goal(InstanceGoal goal) {
  // Also for a process of the spec before: one that was found again does not say how it wants to be
  // asked, and versions of one group hardly differ in it.
  if (goal.spec) stop_signal_ = signal_number(goal.spec->stop_signal);
  goal_ = std::move(goal);
}

bool ManagedInstance::step(const InstancePlace& place, const TimeSource& time) {
  if (process_ && process_->wait(Duration::zero())) {
    on_exit(time);
    return true;
  }
  if (!goal_) return false;
  const MonotonicTime now = time.monotonic();
  if (process_) {
    if (state_ != InstanceState::kStopping && digest_ != goal_->digest) {
      process_->signal(stop_signal_);
      kill_at_ = now + goal_->drain;
      set_state(InstanceState::kStopping, time);
      return true;
    }
    if (state_ == InstanceState::kStopping && now >= kill_at_) {
      process_->kill_group();
      kill_at_ = now + kKillAgainAfter;
    }
    return false;
  }
  if (!goal_->spec || now < restart_at_) return false;
  start(place, time);
  return true;
}

std::optional<MonotonicTime> ManagedInstance::next_step() const {
  if (process_ && state_ == InstanceState::kStopping) return kill_at_;
  if (!process_ && goal_ && goal_->spec) return restart_at_;
  return std::nullopt;
}

void ManagedInstance::start(const InstancePlace& place, const TimeSource& time) {
  auto process = spawn(place);
  started_at_ = time.monotonic();
  digest_ = goal_->digest;
  if (!process) {
    last_exit_ = process.error().message;
    log_warning("an instance cannot be started",
                {{"instance", id_.value()}, {"error", last_exit_}});
    wait_before_restart(Duration::zero(), time);
    return;
  }
  process_.emplace(*std::move(process));
  set_state(InstanceState::kRunning, time);
  log_info("instance started",
           {{"instance", id_.value()}, {"pid", process_->identity().pid}, {"port", port_}});
}

Result<> ManagedInstance::prepare_port(const InstancePlace& place) {
  // Keeping the port across restarts spares the doors a change; one that somebody else has taken,
  // or that may be the reason for early ends, is given up.
  constexpr uint32_t kSuspiciousExits = 2;
  if (goal_->spec->port != 0) {
    port_ = goal_->spec->port;
  } else if (backoff_.early_exits() >= kSuspiciousExits || !is_free_loopback_port(port_)) {
    const auto port = choose_port(place.taken_ports);
    if (!port) return std::unexpected(port.error());
    port_ = *port;
  }
  return {};
}

Result<ChildProcess> ManagedInstance::spawn(const InstancePlace& place) {
  if (auto prepared = prepare_port(place); !prepared) return std::unexpected(prepared.error());
  SpawnRequest request{.environment = make_environment(*goal_->spec, port_),
                       .working_directory = goal_->spec->working_directory,
                       .output_file = place.log_path};
  for (const std::string& word : goal_->spec->command)
    request.command.push_back(replace_port(word, port_));
  return ChildProcess::spawn(request);
}

void ManagedInstance::on_exit(const TimeSource& time) {
  const bool was_asked = state_ == InstanceState::kStopping;
  last_exit_ = process_->reap();
  process_.reset();
  log_info(was_asked ? "instance stopped" : "instance ended",
           {{"instance", id_.value()}, {"how", last_exit_}, {"port", port_}});
  if (was_asked) {
    restart_at_ = MonotonicTime{};
    set_state(InstanceState::kWaiting, time);
  } else {
    wait_before_restart(time.monotonic() - started_at_, time);
  }
}

void ManagedInstance::wait_before_restart(Duration ran, const TimeSource& time) {
  ++restarts_;
  restart_at_ = time.monotonic() + backoff_.after_exit(ran);
  set_state(InstanceState::kWaiting, time);
}

void ManagedInstance::set_state(InstanceState state, const TimeSource& time) {
  state_ = state;
  since_ = time.wall();
}

ObservedInstance ManagedInstance::observe() const {
  return {.id = id_,
          .state = state_,
          .endpoint = {"127.0.0.1", port_},
          .spec_digest = digest_,
          .process_id = process_ ? process_->identity().pid : 0,
          .restarts = restarts_,
          .since = since_,
          .last_exit = last_exit_};
}

std::optional<InstanceRecord> ManagedInstance::record() const {
  // A process that ended before it could be looked at has nothing by which it could be found again.
  if (!process_ || process_->identity().boot_id.empty()) return std::nullopt;
  return InstanceRecord{
      .ordinal = ordinal_, .port = port_, .spec_digest = digest_, .process = process_->identity()};
}

}  // namespace partywall::fleet
