#include "store/usage/usage_spool.h"

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "base/private_file.h"
#include "base/text.h"
#include "store/usage/usage_document.h"

namespace partywall::store {
namespace {

constexpr std::string_view kSuffix = ".json";
constexpr size_t kTimeDigits = 13;

// Names sort by the time at which the interval ended, which is in front of them.
std::string file_name(const UsageInterval& interval) {
  return fmt::format("{:013}-{}-{:010}{}", interval.ended.time_since_epoch().count(),
                     interval.run.to_string(), interval.number, kSuffix);
}

std::optional<WallTime> time_in_name(const std::string& name) {
  if (!name.ends_with(kSuffix) || name.size() <= kTimeDigits || name[kTimeDigits] != '-')
    return std::nullopt;
  const auto ended = parse_integer<int64_t>(name.substr(0, kTimeDigits), 0);
  if (!ended) return std::nullopt;
  return WallTime(milliseconds(*ended));
}

void remove_file(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) {
    // It is sent again by the next process, and counts no second time.
    log_warning("an interval of usage that was sent cannot be deleted",
                {{"file", path}, {"error", error.message()}});
  }
}

}  // namespace

Result<UsageSpool> UsageSpool::open(const std::string& folder) {
  UsageSpool spool(folder);
  if (folder.empty()) return spool;
  if (auto made = make_private_directory(folder); !made)
    return fail_with_context("usage.spool", made.error());
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (const auto ended = time_in_name(name))
      spool.waiting_.push_back({.ended = *ended, .file = entry->path().string(), .report = {}});
  }
  if (error) {
    return fail(ErrorKind::kUnavailable, "usage.spool: {} cannot be read: {}", folder,
                error.message());
  }
  std::ranges::sort(spool.waiting_, {}, &Waiting::file);
  return spool;
}

Result<> UsageSpool::put(UsageReport report) {
  Waiting waiting{.ended = report.interval.ended, .file = {}, .report = {}};
  Result<> written;
  if (!folder_.empty()) {
    waiting.file = folder_ + "/" + file_name(report.interval);
    written = write_private_file(waiting.file, write_usage_report(report));
    if (!written) waiting.file.clear();
  }
  if (waiting.file.empty()) {
    waiting.report = std::move(report);
    ++in_memory_;
  }
  waiting_.push_back(std::move(waiting));
  while (in_memory_ > kMostInMemory) lose_first();
  return written;
}

std::optional<UsageReport> UsageSpool::first() {
  while (!waiting_.empty()) {
    const Waiting& oldest = waiting_.front();
    if (oldest.report) return oldest.report;
    const auto text = read_private_file(oldest.file);
    auto report = text ? read_usage_report(*text) : std::unexpected(text.error());
    if (report) return *std::move(report);
    log_error("an interval of usage cannot be read: it is put aside, and lost unless it is mended",
              {{"file", oldest.file + ".broken"}, {"error", report.error().message}});
    std::error_code error;
    std::filesystem::rename(oldest.file, oldest.file + ".broken", error);
    if (error) log_error("nor can it be renamed", {{"error", error.message()}});
    waiting_.pop_front();
    ++lost_;
  }
  return std::nullopt;
}

void UsageSpool::remove_first() {
  if (waiting_.front().file.empty()) {
    --in_memory_;
  } else {
    remove_file(waiting_.front().file);
  }
  waiting_.pop_front();
}

void UsageSpool::lose_first() {
  remove_first();
  ++lost_;
}

void UsageSpool::drop_before(WallTime time) {
  while (!waiting_.empty() && waiting_.front().ended < time) lose_first();
}

}  // namespace partywall::store
