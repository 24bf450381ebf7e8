#include "fleet/process/process_provider.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <list>
#include <mutex>
#include <thread>

#include <sys/eventfd.h>

#include "base/log.h"
#include "base/private_file.h"
#include "fleet/process/process_group.h"
#include "fleet/process/session_use.h"

namespace partywall::fleet {
namespace {

constexpr Duration kLogCheckInterval = seconds(5);

void set_event(const FileDescriptor& event) {
  const uint64_t one = 1;
  (void)!::write(event.number(), &one, sizeof(one));  // full means set already
}

void clear_event(const FileDescriptor& event) {
  uint64_t count = 0;
  (void)!::read(event.number(), &count, sizeof(count));  // empty means clear already
}

// Shared with the handles, so that one may outlive the provider.
struct Watchers {
  std::mutex mutex;  // held while calling back; taken before the provider's
  std::list<Provider::OnChange> callbacks;
};

}  // namespace

// One thread steps all groups: when an instance ends, when a pause is over, and when it is told of
// a new intent.
struct ProcessProvider::Impl {
  Impl(ProcessProviderSettings given_settings, const TimeSource& given_time)
      : settings(std::move(given_settings)), time(given_time) {}

  ProcessProviderSettings settings;
  const TimeSource& time;
  FileDescriptor wake;

  std::mutex mutex;  // guards what follows
  std::map<GroupName, ProcessGroup> groups;
  std::condition_variable stepped;

  std::shared_ptr<Watchers> watchers = std::make_shared<Watchers>();

  std::jthread thread;

  Result<> load_groups();
  void run(const std::stop_token& stop);
  std::vector<GroupName> step_groups(std::vector<pollfd>& wait_for, MonotonicTime& wake_at);
  [[nodiscard]] std::vector<uint16_t> ports_in_use() const;
  void rotate_logs();
  void notify(const std::vector<GroupName>& changed);
  [[nodiscard]] bool has_any(std::span<const InstanceId> ids) const;
};

Result<> ProcessProvider::Impl::load_groups() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(settings.directory, error)) {
    const std::string path = entry.path().string();
    if (!path.ends_with(kGroupRecordSuffix)) continue;
    auto group = ProcessGroup::load(path, settings.directory, settings.backoff, time);
    if (!group) return std::unexpected(group.error());
    GroupName name = group->name();
    groups.emplace(std::move(name), *std::move(group));
  }
  if (error)
    return fail(ErrorKind::kUnavailable, "cannot list {}: {}", settings.directory, error.message());
  return {};
}

void ProcessProvider::Impl::run(const std::stop_token& stop) {
  MonotonicTime next_log_check = time.monotonic() + kLogCheckInterval;
  std::vector<pollfd> wait_for;
  while (!stop.stop_requested()) {
    MonotonicTime wake_at = next_log_check;
    notify(step_groups(wait_for, wake_at));
    wait_for.push_back({.fd = wake.number(), .events = POLLIN, .revents = 0});
    const auto pause =
        std::chrono::ceil<milliseconds>(std::max(Duration::zero(), wake_at - time.monotonic()));
    if (::poll(wait_for.data(), wait_for.size(), static_cast<int>(pause.count())) < 0 &&
        errno != EINTR) {
      log_error("cannot wait for instances", {{"error", std::strerror(errno)}});
    }
    clear_event(wake);
    if (time.monotonic() >= next_log_check) {
      rotate_logs();
      next_log_check = time.monotonic() + kLogCheckInterval;
    }
  }
}

std::vector<GroupName> ProcessProvider::Impl::step_groups(std::vector<pollfd>& wait_for,
                                                          MonotonicTime& wake_at) {
  const std::lock_guard lock(mutex);
  std::vector<GroupName> changed;
  wait_for.clear();
  for (auto& [name, group] : groups) {
    if (group.step(ports_in_use(), time)) changed.push_back(name);
    if (const auto next = group.next_step()) wake_at = std::min(wake_at, *next);
    group.add_poll_descriptors(wait_for);
  }
  stepped.notify_all();
  return changed;
}

std::vector<uint16_t> ProcessProvider::Impl::ports_in_use() const {
  std::vector<uint16_t> ports;
  for (const auto& [name, group] : groups) {
    for (const ObservedInstance& instance : group.observe())
      ports.push_back(instance.endpoint.port);
  }
  return ports;
}

void ProcessProvider::Impl::rotate_logs() {
  std::vector<std::string> paths;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [name, group] : groups)
      std::ranges::copy(group.log_paths(), std::back_inserter(paths));
  }
  for (const std::string& path : paths) rotate_log(path, settings.logs);
}

void ProcessProvider::Impl::notify(const std::vector<GroupName>& changed) {
  const std::lock_guard lock(watchers->mutex);
  for (const GroupName& group : changed) {
    for (const OnChange& callback : watchers->callbacks) callback(group);
  }
}

bool ProcessProvider::Impl::has_any(std::span<const InstanceId> ids) const {
  return std::ranges::any_of(ids, [&](const InstanceId& id) {
    return std::ranges::any_of(groups, [&](const auto& entry) { return entry.second.has(id); });
  });
}

ProcessProvider::ProcessProvider(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<ProcessProvider>> ProcessProvider::start(ProcessProviderSettings settings,
                                                                const TimeSource& time) {
  if (auto made = make_private_directory(settings.directory); !made)
    return std::unexpected(made.error());
  auto impl = std::make_unique<Impl>(std::move(settings), time);
  impl->wake = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!impl->wake.valid())
    return fail(ErrorKind::kUnavailable, "eventfd: {}", std::strerror(errno));
  if (auto loaded = impl->load_groups(); !loaded) return std::unexpected(loaded.error());
  Impl& shared = *impl;
  impl->thread = std::jthread([&shared](const std::stop_token& stop) { shared.run(stop); });
  return std::unique_ptr<ProcessProvider>(new ProcessProvider(std::move(impl)));
}

ProcessProvider::~ProcessProvider() {
  impl_->thread.request_stop();
  set_event(impl_->wake);
}

Capabilities ProcessProvider::capabilities() const {
  return {.restarts_in_place = true,
          .survives_our_restart = true,
          .limits_memory = false,
          .several_machines = false};
}

Result<std::vector<ObservedInstance>> ProcessProvider::observe(const GroupName& group) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->groups.find(group);
  if (found == impl_->groups.end()) return std::vector<ObservedInstance>();
  return found->second.observe();
}

std::map<InstanceId, ResourceUse> ProcessProvider::measure(const GroupName& group) {
  const auto observed = observe(group);
  if (!observed) return {};
  std::map<pid_t, ResourceUse> sessions;
  for (const ObservedInstance& instance : *observed) {
    if (instance.process_id > 0) sessions.emplace(instance.process_id, ResourceUse());
  }
  add_session_use(sessions);
  std::map<InstanceId, ResourceUse> use;
  for (const ObservedInstance& instance : *observed) {
    const auto found = sessions.find(instance.process_id);
    if (found != sessions.end()) use.emplace(instance.id, found->second);
  }
  return use;
}

Result<> ProcessProvider::ensure(const GroupName& group, const InstanceSpec& spec, uint32_t count,
                                 FencingNumber leader) {
  if (auto valid = check_group_name(group.value()); !valid) return valid;
  if (auto valid = check_spec(spec, count); !valid) {
    return fail_with_context("group " + group.value(), valid.error());
  }
  {
    const std::lock_guard lock(impl_->mutex);
    const auto [entry, is_new] =
        impl_->groups.try_emplace(group, group, impl_->settings.directory, impl_->settings.backoff);
    if (auto accepted = entry->second.ensure(spec, count, leader); !accepted) return accepted;
  }
  set_event(impl_->wake);
  return {};
}

Result<> ProcessProvider::remove(std::span<const InstanceId> ids, Duration drain) {
  {
    const std::lock_guard lock(impl_->mutex);
    for (auto& [name, group] : impl_->groups) {
      for (const InstanceId& id : ids) group.remove(id, drain);
    }
  }
  set_event(impl_->wake);
  return {};
}

Result<> ProcessProvider::wait_until_gone(std::span<const InstanceId> ids, Duration patience) {
  std::unique_lock lock(impl_->mutex);
  if (!impl_->stepped.wait_for(lock, patience, [&] { return !impl_->has_any(ids); })) {
    return fail(ErrorKind::kTimeout,
                "some instances cannot be ended, not even by SIGKILL; the log names them");
  }
  return {};
}

std::shared_ptr<void> ProcessProvider::watch(OnChange on_change) {
  const auto watchers = impl_->watchers;
  const std::lock_guard lock(watchers->mutex);
  const auto entry = watchers->callbacks.insert(watchers->callbacks.end(), std::move(on_change));
  return {static_cast<void*>(&*entry), [watchers, entry](void*) {
            const std::lock_guard erase_lock(watchers->mutex);
            watchers->callbacks.erase(entry);
          }};
}

}  // namespace partywall::fleet
