#include "cache/slow_log.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cache/resp/number.h"

namespace partywall::cache {
namespace {
constexpr size_t kMaxShownArguments = 8;
}

void RequestExcerpt::keep(std::string_view request) {
  kept_ = std::min(request.size(), bytes_.size());
  std::copy_n(request.data(), kept_, bytes_.data());
}

std::vector<std::string> RequestExcerpt::arguments() const {
  std::vector<std::string> arguments;
  std::string_view rest(bytes_.data(), kept_);
  const NumberLine count = read_number_line(rest, 1);
  if (count.status != NumberLine::Status::kComplete) return arguments;
  rest.remove_prefix(count.end);
  while (arguments.size() < std::min<uint64_t>(count.value, kMaxShownArguments)) {
    const NumberLine line = read_number_line(rest, 1);
    if (rest.empty() || line.status != NumberLine::Status::kComplete) break;
    const std::string_view text = rest.substr(line.end, line.value);
    arguments.emplace_back(text);
    if (text.size() < line.value) {
      arguments.back() += fmt::format("... ({} more bytes)", line.value - text.size());
      break;
    }
    rest.remove_prefix(std::min(rest.size(), line.end + line.value + 2));
  }
  if (arguments.size() < count.value)
    arguments.push_back(fmt::format("... ({} more arguments)", count.value - arguments.size()));
  return arguments;
}

void SlowLog::add(TenantId tenant, SlowCommand command) {
  const std::lock_guard lock(mutex_);
  Entry& entry = tenants_[tenant];
  command.id = entry.next_id++;
  entry.commands.push_front(std::move(command));
  if (entry.commands.size() > kMaxEntries) entry.commands.pop_back();
}

std::vector<SlowCommand> SlowLog::latest(TenantId tenant, std::optional<size_t> count) const {
  const std::lock_guard lock(mutex_);
  const auto entry = tenants_.find(tenant);
  if (entry == tenants_.end()) return {};
  const auto& commands = entry->second.commands;
  const size_t wanted = std::min(count.value_or(commands.size()), commands.size());
  return {commands.begin(), commands.begin() + static_cast<std::ptrdiff_t>(wanted)};
}

size_t SlowLog::size(TenantId tenant) const {
  const std::lock_guard lock(mutex_);
  const auto entry = tenants_.find(tenant);
  return entry == tenants_.end() ? 0 : entry->second.commands.size();
}

void SlowLog::clear(TenantId tenant) {
  const std::lock_guard lock(mutex_);
  const auto entry = tenants_.find(tenant);
  if (entry != tenants_.end()) entry->second.commands.clear();
}

}  // namespace partywall::cache
