#include "cache/quota/quota_questions.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "cache/quota/guard_scripts.h"
#include "cache/resp/reply_tree.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

// In one step. About a millisecond of Redis's time at most.
constexpr uint64_t kEvictedInAStep = 64;
constexpr uint32_t kWeighedInAStep = 32;
constexpr uint32_t kLookedThroughInAStep = 256;

// Room that is made at once, so that not every command has to.
uint64_t slack_of(uint64_t quota, uint64_t under_way) {
  const uint64_t for_clients = std::min(2 * under_way, quota / 20);
  return std::min(std::max({uint64_t{16}, quota / 100, for_clients}), quota / 4);
}

std::string number(uint64_t value) { return fmt::format("{}", value); }

// `prefix`: what the keys of an index begin with; empty in database mode.
std::string eval(std::string_view script, std::string_view prefix,
                 const std::vector<std::string>& arguments) {
  const bool indexed = !prefix.empty();
  std::string out;
  append_array_header(out, (indexed ? 5U : 3U) + arguments.size());
  append_bulk(out, "EVAL");
  append_bulk(out, script);
  append_bulk(out, indexed ? "1" : "0");
  if (indexed) append_bulk(out, key_index(prefix));
  for (const std::string& argument : arguments) append_bulk(out, argument);
  if (indexed) append_bulk(out, prefix);
  return out;
}

std::string eval(const GuardScript& script, std::string_view prefix,
                 const std::vector<std::string>& arguments) {
  return eval(prefix.empty() ? script.of_database : script.of_index, prefix, arguments);
}

// For the scripts that evict: which keys may go.
std::vector<std::string> eviction(uint64_t first, const Limits& limits) {
  std::vector<std::string> arguments = {number(first), number(kEvictedInAStep)};
  for (const CacheKeySpace& space : limits.cache_key_spaces)
    arguments.push_back((space.at_quota == CacheAtQuota::kEvict ? '+' : '-') + space.prefix);
  return arguments;
}

std::string_view prefix_of(const KeyPrefixes& prefixes, uint32_t database) {
  return prefixes.empty() ? std::string_view() : std::string_view(prefixes[database]);
}

uint32_t count_databases(const KeyPrefixes& prefixes, const Limits& limits) {
  return prefixes.empty() ? limits.cache_databases : static_cast<uint32_t>(prefixes.size());
}

// The whole numbers of a reply that is one, or a list of them.
std::optional<std::vector<int64_t>> numbers_of(std::string_view reply, size_t count) {
  const auto tree = parse_reply_tree(reply);
  if (!tree) return std::nullopt;
  std::vector<int64_t> numbers;
  if ((tree->type == ':') != (count == 1)) return std::nullopt;
  if (tree->type == ':') numbers.push_back(tree->number);
  for (const ReplyTree& item : tree->items) {
    if (item.type != ':' || item.number < 0) return std::nullopt;
    numbers.push_back(item.number);
  }
  if (numbers.size() != count || numbers.front() < 0) return std::nullopt;
  return numbers;
}

}  // namespace

CountKeysOf::CountKeysOf(const Limits& limits, uint64_t need, uint64_t under_way,
                         IndexesToCount indexes)
    : limits_(limits),
      indexes_(std::move(indexes)),
      counts_(count_databases(indexes_.prefixes, limits)) {
  const uint64_t quota = limits.cache_keys;
  const uint64_t slack = slack_of(quota, under_way);
  target_ = quota - std::min(quota, std::max(slack, need));
  begin_above_ = std::max(target_, quota - std::min(quota, std::max(slack / 2, need)));
  enough_ = quota - std::min(quota, need + under_way);
}

std::optional<QuotaQuestions::Step> CountKeysOf::next() {
  switch (stage_) {
    case Stage::kCount:
      return ask(asked_);
    case Stage::kEvict:
      return ask(fullest());
    case Stage::kVerifyRemoved:
      return ask(indexes_.database);
    case Stage::kLookThrough:
      looked_through_ = true;
      return ask(asked_);
    case Stage::kDone:
      break;
  }
  return std::nullopt;
}

QuotaQuestions::Step CountKeysOf::ask(uint32_t database) {
  asked_ = database;
  const std::string_view prefix = prefix_of(indexes_.prefixes, database);
  switch (stage_) {
    case Stage::kEvict: {
      const uint64_t others = total() - counts_[database];
      const uint64_t target = target_ - std::min(target_, others);
      return {database, eval(kEvictKeysScript, prefix, eviction(target, limits_))};
    }
    case Stage::kVerifyRemoved:
      return {database, verify_names(prefix, indexes_.removed)};
    case Stage::kLookThrough:
      return {database,
              eval(kLookThroughScript, prefix, {number(cursor_), number(kLookedThroughInAStep)})};
    default:
      return {database, prefix.empty() ? make_request({"DBSIZE"})
                                       : make_request({"SCARD", key_index(prefix)})};
  }
}

bool CountKeysOf::answered(std::string_view reply) {
  const auto numbers = numbers_of(reply, stage_ == Stage::kCount ? 1 : 2);
  if (!numbers) return false;
  const auto first = static_cast<uint64_t>(numbers->front());
  const auto second = static_cast<uint64_t>(numbers->back());
  switch (stage_) {
    case Stage::kCount:
      counts_[asked_] = first;
      result_ = total();
      if (++asked_ < counts_.size()) return true;
      stage_ = Stage::kDone;
      if (limits_.cache_at_quota == CacheAtQuota::kEvict) {
        tried_to_evict_ = result_ > begin_above_;
        if (tried_to_evict_) stage_ = Stage::kEvict;
      } else {
        look_for_room();
      }
      return true;
    case Stage::kEvict:
      note_evicted(first, second);
      return true;
    case Stage::kVerifyRemoved:
      forgot_names_ = forgot_names_ || second > 0;
      indexes_.removed.clear();
      counts_[asked_] = first;
      result_ = total();
      look_for_room();
      return true;
    case Stage::kLookThrough:
      note_looked_through(first, second);
      return true;
    case Stage::kDone:
      break;
  }
  return false;
}

// It goes on while keys go, or names whose keys were gone already.
void CountKeysOf::note_evicted(uint64_t left, uint64_t evicted) {
  const bool progress = evicted > 0 || left < counts_[asked_];
  counts_[asked_] = left;
  result_ = total();
  evicted_.keys += evicted;
  forgot_names_ = true;
  if (result_ <= target_ || !progress) stage_ = Stage::kDone;
}

void CountKeysOf::look_for_room() {
  stage_ = Stage::kDone;
  if (indexes_.prefixes.empty() || result_ <= enough_) return;
  asked_ = 0;
  if (!indexes_.removed.empty()) {
    stage_ = Stage::kVerifyRemoved;
  } else if (indexes_.may_look_through) {
    stage_ = Stage::kLookThrough;
  }
}

// To the end of the index, or until there is room enough for a while.
void CountKeysOf::note_looked_through(uint64_t cursor, uint64_t left) {
  forgot_names_ = forgot_names_ || left < counts_[asked_];
  counts_[asked_] = left;
  result_ = total();
  cursor_ = cursor;
  if (cursor == 0) ++asked_;
  if (result_ <= target_ || asked_ >= counts_.size()) stage_ = Stage::kDone;
}

uint64_t CountKeysOf::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
}

uint32_t CountKeysOf::fullest() const {
  return static_cast<uint32_t>(std::ranges::max_element(counts_) - counts_.begin());
}

WeighKeysOf::WeighKeysOf(const Limits& limits, uint64_t need, KeyPrefixes prefixes)
    : limits_(limits),
      prefixes_(std::move(prefixes)),
      databases_(count_databases(prefixes_, limits)) {
  const uint64_t quota = limits.cache_bytes;
  target_ = quota - std::min(quota, std::max(quota / 20, need));
  begin_above_ = std::max(target_, quota - std::min(quota, std::max(quota / 40, need)));
}

std::optional<QuotaQuestions::Step> WeighKeysOf::next() {
  if (done_) return std::nullopt;
  const std::string_view prefix = prefix_of(prefixes_, database_);
  if (!weighed_)
    return Step{database_, eval(kWeighScript, prefix, {number(cursor_), number(kWeighedInAStep)})};
  tried_to_evict_ = true;
  return Step{database_, eval(kEvictBytesScript, prefix, eviction(result_ - target_, limits_))};
}

bool WeighKeysOf::answered(std::string_view reply) {
  const auto numbers = numbers_of(reply, 2);
  if (!numbers) return false;
  if (!weighed_) return note_weight(*numbers);
  const auto keys = static_cast<uint64_t>(numbers->front());
  const auto bytes = static_cast<uint64_t>(numbers->back());
  evicted_.keys += keys;
  evicted_.bytes += bytes;
  result_ -= std::min(result_, bytes);
  forgot_names_ = true;
  emptied_ = keys == 0 ? emptied_ + 1 : 0;
  if (keys == 0) next_database();
  done_ = result_ <= target_ || emptied_ >= databases_;
  return true;
}

bool WeighKeysOf::note_weight(const std::vector<int64_t>& numbers) {
  cursor_ = static_cast<uint64_t>(numbers.front());
  result_ += static_cast<uint64_t>(numbers.back());
  forgot_names_ = !prefixes_.empty();
  if (cursor_ != 0) return true;
  next_database();
  weighed_ = database_ == 0;
  done_ = weighed_ && (limits_.cache_at_quota != CacheAtQuota::kEvict || result_ <= begin_above_);
  return true;
}

void WeighKeysOf::next_database() { database_ = (database_ + 1) % databases_; }

std::string verify_names(std::string_view key_prefix, const std::vector<std::string>& names) {
  return eval(kVerifyNamesScript, key_prefix, names);
}

ExistingKeys::ExistingKeys(uint32_t database, const std::vector<std::string_view>& keys,
                           std::string_view prefix)
    : step_(Step{.database = database, .request = {}}) {
  append_array_header(step_->request, 1 + keys.size());
  append_bulk(step_->request, "EXISTS");
  for (const std::string_view key : keys) append_prefixed_bulk(step_->request, prefix, key);
}

std::optional<QuotaQuestions::Step> ExistingKeys::next() {
  return std::exchange(step_, std::nullopt);
}

bool ExistingKeys::answered(std::string_view reply) {
  const auto numbers = numbers_of(reply, 1);
  if (numbers) result_ = static_cast<uint64_t>(numbers->front());
  return numbers.has_value();
}

}  // namespace partywall::cache
