#include "fleet/process/process_group.h"

#include <algorithm>

#include "base/log.h"
#include "base/private_file.h"

namespace partywall::fleet {

ProcessGroup::ProcessGroup(GroupName name, const std::string& directory,
                           RestartBackoffSettings backoff)
    : name_(std::move(name)), directory_(directory), backoff_(backoff) {}

Result<ProcessGroup> ProcessGroup::load(const std::string& record_file,
                                        const std::string& directory,
                                        RestartBackoffSettings backoff, const TimeSource& time) {
  const auto text = read_private_file(record_file);
  if (!text) return std::unexpected(text.error());
  const auto record = parse_group_record(*text);
  if (!record) return fail_with_context(record_file, record.error());
  ProcessGroup group(record->group, directory, backoff);
  group.leader_ = record->leader;
  for (const InstanceRecord& instance : record->instances) {
    group.instances_.try_emplace(instance.ordinal, group.id_of(instance.ordinal), instance, backoff,
                                 time);
  }
  return group;
}

Result<> ProcessGroup::ensure(const InstanceSpec& spec, uint32_t count, FencingNumber leader) {
  if (leader < leader_) {
    return fail(ErrorKind::kDenied,
                "group {}: the intent comes from leader {}, and {} has spoken since", name_.value(),
                leader.value(), leader_.value());
  }
  if (leader != leader_) {
    leader_ = leader;
    if (auto saved = save(); !saved) return saved;
  }
  const auto shared_spec = std::make_shared<const InstanceSpec>(spec);
  const std::string digest = spec.digest();
  // Those that are to go stay out of it, also while they still run.
  std::vector<ManagedInstance*> kept;
  for (auto& [ordinal, instance] : instances_) {
    if (!instance.is_unwanted()) kept.push_back(&instance);
  }
  while (kept.size() > count) {
    kept.back()->set_goal({});
    kept.pop_back();
  }
  for (uint32_t ordinal = 1; kept.size() < count; ++ordinal) {
    const auto [entry, is_new] = instances_.try_emplace(ordinal, id_of(ordinal), ordinal, backoff_);
    if (is_new) kept.push_back(&entry->second);
  }
  for (ManagedInstance* instance : kept) {
    instance->set_goal({.spec = shared_spec, .digest = digest});
  }
  return {};
}

void ProcessGroup::remove(const InstanceId& id, Duration drain) {
  for (auto& [ordinal, instance] : instances_) {
    if (id_of(ordinal) == id) instance.set_goal({.spec = nullptr, .digest = {}, .drain = drain});
  }
}

bool ProcessGroup::has(const InstanceId& id) const {
  return std::ranges::any_of(instances_,
                             [&](const auto& entry) { return id_of(entry.first) == id; });
}

bool ProcessGroup::step(const std::vector<uint16_t>& taken_ports, const TimeSource& time) {
  std::vector<uint16_t> taken = taken_ports;
  bool changed = false;
  for (auto& [ordinal, instance] : instances_) {
    changed |= instance.step({.log_path = log_path_of(ordinal), .taken_ports = taken}, time);
    taken.push_back(instance.port());
  }
  changed |=
      std::erase_if(instances_, [](const auto& entry) { return entry.second.is_gone(); }) > 0;
  if (!changed) return false;
  if (const auto saved = save(); !saved) {
    log_error("instances cannot be recorded: after a restart they would not be found again",
              {{"group", name_.value()}, {"error", saved.error().message}});
  }
  return true;
}

std::optional<MonotonicTime> ProcessGroup::next_step() const {
  std::optional<MonotonicTime> next;
  for (const auto& [ordinal, instance] : instances_) {
    const auto wanted = instance.next_step();
    if (wanted && (!next || *wanted < *next)) next = wanted;
  }
  return next;
}

void ProcessGroup::add_poll_descriptors(std::vector<pollfd>& into) const {
  for (const auto& [ordinal, instance] : instances_) {
    const int descriptor = instance.poll_descriptor();
    if (descriptor >= 0) into.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
  }
}

std::vector<ObservedInstance> ProcessGroup::observe() const {
  std::vector<ObservedInstance> observed;
  for (const auto& [ordinal, instance] : instances_) observed.push_back(instance.observe());
  return observed;
}

std::vector<std::string> ProcessGroup::log_paths() const {
  std::vector<std::string> paths;
  for (const auto& [ordinal, instance] : instances_) paths.push_back(log_path_of(ordinal));
  return paths;
}

InstanceId ProcessGroup::id_of(uint32_t ordinal) const {
  return InstanceId(fmt::format("{}-{}", name_.value(), ordinal));
}

std::string ProcessGroup::log_path_of(uint32_t ordinal) const {
  return fmt::format("{}/{}.log", directory_, id_of(ordinal).value());
}

Result<> ProcessGroup::save() const {
  GroupRecord record{.group = name_, .leader = leader_};
  for (const auto& [ordinal, instance] : instances_) {
    if (auto entry = instance.record()) record.instances.push_back(*std::move(entry));
  }
  const std::string path = fmt::format("{}/{}{}", directory_, name_.value(), kGroupRecordSuffix);
  return write_private_file(path, write_group_record(record));
}

}  // namespace partywall::fleet
