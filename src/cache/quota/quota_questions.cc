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

// Room that is made at once, so that not every command has to.
uint64_t slack_of(uint64_t quota, uint64_t under_way) {
  const uint64_t for_clients = std::min(2 * under_way, quota / 20);
  return std::min(std::max({uint64_t{16}, quota / 100, for_clients}), quota / 4);
}

std::string number(uint64_t value) { return fmt::format("{}", value); }

std::string eval(std::string_view script, std::initializer_list<std::string_view> arguments) {
  std::string out;
  append_array_header(out, 3 + arguments.size());
  append_bulk(out, "EVAL");
  append_bulk(out, script);
  append_bulk(out, "0");
  for (const std::string_view argument : arguments) append_bulk(out, argument);
  return out;
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

CountKeysOf::CountKeysOf(const Limits& limits, uint64_t need, uint64_t under_way)
    : limits_(limits), counts_(limits.cache_databases) {
  const uint64_t quota = limits.cache_keys;
  const uint64_t slack = slack_of(quota, under_way);
  target_ = quota - std::min(quota, std::max(slack, need));
  begin_above_ = std::max(target_, quota - std::min(quota, std::max(slack / 2, need)));
}

std::optional<QuotaQuestions::Step> CountKeysOf::next() {
  if (done_) return std::nullopt;
  if (!evicting_) return Step{asked_, make_request({"DBSIZE"})};
  asked_ = fullest();
  const uint64_t others = total() - counts_[asked_];
  const uint64_t target = target_ - std::min(target_, others);
  return Step{asked_, eval(kEvictKeysScript, {number(target), number(kEvictedInAStep)})};
}

bool CountKeysOf::answered(std::string_view reply) {
  const auto numbers = numbers_of(reply, evicting_ ? 2 : 1);
  if (!numbers) return false;
  const auto left = static_cast<uint64_t>(numbers->front());
  counts_[asked_] = left;
  result_ = total();
  if (evicting_) {
    const auto evicted = static_cast<uint64_t>(numbers->back());
    evicted_.keys += evicted;
    done_ = result_ <= target_ || evicted == 0;
    return true;
  }
  if (++asked_ < limits_.cache_databases) return true;
  evicting_ = limits_.cache_at_quota == CacheAtQuota::kEvict && result_ > begin_above_;
  done_ = !evicting_;
  return true;
}

uint64_t CountKeysOf::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
}

uint32_t CountKeysOf::fullest() const {
  return static_cast<uint32_t>(std::ranges::max_element(counts_) - counts_.begin());
}

WeighKeysOf::WeighKeysOf(const Limits& limits, uint64_t need) : limits_(limits) {
  const uint64_t quota = limits.cache_bytes;
  target_ = quota - std::min(quota, std::max(quota / 20, need));
  begin_above_ = std::max(target_, quota - std::min(quota, std::max(quota / 40, need)));
}

std::optional<QuotaQuestions::Step> WeighKeysOf::next() {
  if (done_) return std::nullopt;
  if (!weighed_) {
    return Step{database_, eval(kWeighScript, {number(cursor_), number(kWeighedInAStep)})};
  }
  return Step{database_,
              eval(kEvictBytesScript, {number(result_ - target_), number(kEvictedInAStep)})};
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
  emptied_ = keys == 0 ? emptied_ + 1 : 0;
  if (keys == 0) next_database();
  done_ = result_ <= target_ || emptied_ >= limits_.cache_databases;
  return true;
}

bool WeighKeysOf::note_weight(const std::vector<int64_t>& numbers) {
  cursor_ = static_cast<uint64_t>(numbers.front());
  result_ += static_cast<uint64_t>(numbers.back());
  if (cursor_ != 0) return true;
  next_database();
  weighed_ = database_ == 0;
  done_ = weighed_ && (limits_.cache_at_quota != CacheAtQuota::kEvict || result_ <= begin_above_);
  return true;
}

void WeighKeysOf::next_database() { database_ = (database_ + 1) % limits_.cache_databases; }

ExistingKeys::ExistingKeys(uint32_t database, const std::vector<std::string_view>& keys)
    : step_(Step{.database = database, .request = {}}) {
  append_array_header(step_->request, 1 + keys.size());
  append_bulk(step_->request, "EXISTS");
  for (const std::string_view key : keys) append_bulk(step_->request, key);
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
