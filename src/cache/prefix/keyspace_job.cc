#include "cache/prefix/keyspace_job.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/ascii.h"
#include "cache/prefix/key_prefix.h"
#include "cache/prefix/reply_stripper.h"
#include "cache/prefix/scan_reply.h"
#include "cache/quota/quota_questions.h"

namespace partywall::cache {
namespace {

// Hash slots that Redis looks at in one step: some 100 µs.
constexpr uint64_t kStepKeys = 512;
constexpr std::string_view kStepKeysText = "512";
// Of a client's SCAN, until an empty answer is given after all.
constexpr uint32_t kEmptySteps = 16;
constexpr uint64_t kLargestClientStep = 10'000;
// What one command may keep in the door.
constexpr size_t kMaxListedBytes = 64UL << 20;
constexpr size_t kMaxCountedKeys = 8UL << 20;

std::string error(std::string_view text) {
  std::string out;
  append_error(out, text);
  return out;
}

std::string not_understood() { return error("ERR Redis answered SCAN with what is not an answer"); }

bool is_error(std::string_view reply) { return reply.starts_with('-') || reply.starts_with('!'); }

// Of the prefix that a tenant's key has, which goes to its second ':'.
size_t prefix_length(std::string_view key) { return key.find(':', key.find(':') + 1) + 1; }

std::string number_text(uint64_t number) { return std::to_string(number); }

}  // namespace

ScanWalk::ScanWalk(std::string prefix, std::string_view pattern, uint64_t first_cursor)
    : prefix_(std::move(prefix)), match_(prefix_ + std::string(pattern)), cursor_(first_cursor) {}

ScanWalk ScanWalk::through_all_databases(std::string root) {
  ScanWalk walk(std::move(root), kAnyDatabase);
  walk.all_databases_ = true;
  return walk;
}

std::string ScanWalk::request() const {
  return make_request({"SCAN", number_text(cursor_), "MATCH", match_, "COUNT", kStepKeysText});
}

std::optional<std::vector<std::string_view>> ScanWalk::take(std::string_view reply) {
  auto scanned = read_scan_reply(reply, prefix_);
  const auto is_own = [this](std::string_view key) { return is_own_key(key, prefix_); };
  if (!scanned || (all_databases_ && !std::ranges::all_of(scanned->keys, is_own))) {
    problem_ = is_error(reply) ? without_prefix(reply, prefix_) : not_understood();
    done_ = true;
    return std::nullopt;
  }
  cursor_ = scanned->cursor;
  done_ = cursor_ == 0;
  return std::move(scanned->keys);
}

std::optional<KeyspaceJob::Step> CountKeys::next() {
  if (walk_.done() || !problem_.empty()) return std::nullopt;
  return Step{Asker::kKeyspaceUser, walk_.request()};
}

void CountKeys::answered(std::string_view reply) {
  if (const auto keys = walk_.take(reply)) {
    for (const std::string_view key : *keys) seen_.push_back(hash_(key));
  }
  problem_ = walk_.problem();
  if (seen_.size() > kMaxCountedKeys) problem_ = error("ERR these are too many keys to count");
  if (walk_.done()) finish();
}

void CountKeys::finish() {
  std::ranges::sort(seen_);
  seen_.erase(std::ranges::unique(seen_).begin(), seen_.end());
  count_ = seen_.size();
  seen_ = {};
}

std::string CountKeys::answer(Protocol) const {
  if (!problem_.empty()) return problem_;
  std::string out;
  append_integer(out, static_cast<int64_t>(count_));
  return out;
}

std::optional<KeyspaceJob::Step> ListKeys::next() {
  if (walk_.done() || !problem_.empty()) return std::nullopt;
  return Step{Asker::kKeyspaceUser, walk_.request()};
}

void ListKeys::answered(std::string_view reply) {
  if (const auto keys = walk_.take(reply)) {
    for (const std::string_view key : *keys) {
      keys_.emplace_back(key.substr(walk_.prefix().size()));
      bytes_ += key.size();
    }
  }
  problem_ = walk_.problem();
  if (bytes_ > kMaxListedBytes)
    problem_ = error("ERR these are too many keys for one answer; use SCAN");
  if (!walk_.done()) return;
  // SCAN may give a key twice while Redis resizes its table.
  std::ranges::sort(keys_);
  keys_.erase(std::ranges::unique(keys_).begin(), keys_.end());
}

std::string ListKeys::answer(Protocol) const {
  if (!problem_.empty()) return problem_;
  std::string out;
  append_array_header(out, keys_.size());
  for (const std::string& key : keys_) append_bulk(out, key);
  return out;
}

PickRandomKey::PickRandomKey(std::string prefix, Random& random)
    : random_(random), walk_(std::move(prefix), "*", random.next_u64() >> 1) {}

std::optional<KeyspaceJob::Step> PickRandomKey::next() {
  if (key_ || !problem_.empty()) return std::nullopt;
  if (walk_.done()) {
    if (from_the_beginning_) return std::nullopt;
    from_the_beginning_ = true;
    walk_ = ScanWalk(walk_.prefix(), "*");
  }
  return Step{Asker::kKeyspaceUser, walk_.request()};
}

void PickRandomKey::answered(std::string_view reply) {
  const auto keys = walk_.take(reply);
  problem_ = walk_.problem();
  if (!keys || keys->empty()) return;
  key_ = (*keys)[random_.below(keys->size())].substr(walk_.prefix().size());
}

std::string PickRandomKey::answer(Protocol protocol) const {
  if (!problem_.empty()) return problem_;
  std::string out;
  if (key_) {
    append_bulk(out, *key_);
  } else {
    append_null(out, protocol);
  }
  return out;
}

std::optional<KeyspaceJob::Step> RemoveKeys::next() {
  if (!problem_.empty()) return std::nullopt;
  if (!removal_.empty()) {
    asked_ = Asker::kTenant;
    return Step{asked_, std::exchange(removal_, {})};
  }
  if (!clean_ups_.empty()) {
    asked_ = Asker::kIndexUser;
    Step step{asked_, std::move(clean_ups_.back())};
    clean_ups_.pop_back();
    return step;
  }
  asked_ = Asker::kKeyspaceUser;
  if (walk_.done()) return std::nullopt;
  return Step{asked_, walk_.request()};
}

void RemoveKeys::answered(std::string_view reply) {
  // Names that stay in the index are found there later.
  if (asked_ == Asker::kIndexUser) return;
  if (asked_ == Asker::kTenant) {
    if (is_error(reply)) problem_ = without_prefix(reply, walk_.prefix());
    return;
  }
  const auto keys = walk_.take(reply);
  problem_ = walk_.problem();
  if (!keys || keys->empty()) return;
  append_array_header(removal_, keys->size() + 1);
  append_bulk(removal_, "UNLINK");
  std::map<std::string_view, std::vector<std::string>> names;
  for (const std::string_view key : *keys) {
    append_bulk(removal_, key);
    const size_t length = prefix_length(key);
    names[key.substr(0, length)].emplace_back(key.substr(length));
  }
  for (const auto& [prefix, those] : names) clean_ups_.push_back(verify_names(prefix, those));
}

std::string RemoveKeys::answer(Protocol) const { return problem_.empty() ? "+OK\r\n" : problem_; }

ScanStep::ScanStep(std::string prefix, const Request& request) : prefix_(std::move(prefix)) {
  ArgumentCursor cursor(request);
  cursor.next();
  if (const auto start = cursor.next()) cursor_ = *start;
  std::string pattern = "*";
  uint64_t count = 0;
  while (const auto option = cursor.next()) {
    const auto value = cursor.left() > 0 ? cursor.next() : std::nullopt;
    if (value && equal_ignoring_case(*option, "match")) {
      pattern = *value;
      continue;
    }
    uint64_t number = 0;
    const bool counts = value && equal_ignoring_case(*option, "count") &&
                        std::from_chars(value->data(), value->data() + value->size(), number).ptr ==
                            value->data() + value->size() &&
                        number > 0;
    if (counts) {
      count = number;
      continue;
    }
    // TYPE, and what Redis answers with an error.
    append_bulk(rest_, *option);
    if (value) append_bulk(rest_, *value);
    arguments_ += value ? 2 : 1;
  }
  append_bulk(rest_, "MATCH");
  append_prefixed_bulk(rest_, prefix_, pattern);
  append_bulk(rest_, "COUNT");
  append_bulk(rest_, number_text(std::clamp(count, kStepKeys, kLargestClientStep)));
  arguments_ += 4;
}

std::optional<KeyspaceJob::Step> ScanStep::next() {
  if (!answer_.empty()) return std::nullopt;
  ++steps_;
  Step step{Asker::kKeyspaceUser, {}};
  append_array_header(step.request, arguments_ + 2);
  append_bulk(step.request, "SCAN");
  append_bulk(step.request, cursor_);
  step.request += rest_;
  return step;
}

void ScanStep::answered(std::string_view reply) {
  const auto scanned = read_scan_reply(reply, prefix_);
  if (!scanned) {
    answer_ = is_error(reply) ? without_prefix(reply, prefix_) : not_understood();
    return;
  }
  cursor_ = number_text(scanned->cursor);
  if (scanned->keys.empty() && scanned->cursor != 0 && steps_ < kEmptySteps) return;
  append_array_header(answer_, 2);
  append_bulk(answer_, cursor_);
  append_array_header(answer_, scanned->keys.size());
  for (const std::string_view key : scanned->keys) append_bulk(answer_, key.substr(prefix_.size()));
}

}  // namespace partywall::cache
