#include "cache/load/slow_log_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "cache/resp/resp_writer.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

// id, time, microseconds, arguments, client's address, client's name
constexpr size_t kEntryItems = 6;
constexpr size_t kTime = 1;
constexpr size_t kTook = 2;
constexpr size_t kName = 5;

std::optional<TenantId> tenant_named(std::string_view name) {
  if (!name.starts_with(kTenantUserPrefix)) return std::nullopt;
  const auto id = Uuid::parse(name.substr(kTenantUserPrefix.size()));
  return id ? std::optional(TenantId(*id)) : std::nullopt;
}

}  // namespace

std::string SlowLogReader::question() const {
  return make_request({"SLOWLOG", "GET", fmt::format_int(count_).c_str()});
}

std::optional<std::vector<TimeUse>> SlowLogReader::take(const ReplyTree& answer) {
  const bool valid =
      answer.is_list() && std::ranges::all_of(answer.items, [](const ReplyTree& entry) {
        return entry.is_list() && entry.items.size() == kEntryItems;
      });
  if (!valid) {
    count_ = kUsually;
    return std::nullopt;
  }
  std::vector<TimeUse> uses;
  const int64_t newest = answer.items.empty() ? -1 : answer.items.front().items[0].number;
  // After a restart Redis counts from 0 again.
  if (newest < last_) last_ = -1;
  const bool full = answer.items.size() >= count_;
  if (full && answer.items.back().items[0].number > last_ + 1 && count_ < kKept) {
    count_ = kKept;
    return std::nullopt;
  }
  count_ = kUsually;
  const auto began_second = std::chrono::floor<seconds>(began_);
  for (const ReplyTree& entry : answer.items) {
    if (entry.items[0].number <= last_) break;
    if (!asked_ && WallTime(seconds(entry.items[kTime].number)) < began_second) break;
    if (const auto tenant = tenant_named(entry.items[kName].text))
      uses.push_back({*tenant, microseconds(entry.items[kTook].number)});
  }
  last_ = newest;
  asked_ = true;
  return uses;
}

}  // namespace partywall::cache
