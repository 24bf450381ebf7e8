#include "cache/quota/tenant_quota.h"

#include <algorithm>

namespace partywall::cache {
namespace {

// How soon a count follows what has no bound. Counting is one short command.
constexpr Duration kCountAfterUnsure = milliseconds(50);
// An operator may have imported keys.
constexpr Duration kCountAgain = seconds(10);
// With other nodes at work a count is soon out of date.
constexpr Duration kCountAmongNodes = seconds(1);
// Weighing takes Redis a microsecond or two for each key. After what has no bound it may take a
// thousandth of the time; where a full tenant wants to know whether there is room again, more.
constexpr int kShareAfterUnsure = 1'000;
constexpr Duration kWeighAfterUnsure = seconds(1);
constexpr int kShareWhenFull = 50;
constexpr Duration kWeighWhenFull = seconds(1);
constexpr int kShareAfterRemoval = 5;
// The same of the names in an index, and of keys that may be evicted.
constexpr Duration kLookWhenFull = milliseconds(100);
// Beyond three quarters names are taken out of an index any moment.
constexpr uint64_t kShares = 4;
constexpr uint64_t kSharesWithMuchRoom = 3;
// A tenant that stays just below its quota is weighed again only after this part of it was written:
// it may get so far beyond it.
constexpr uint64_t kPartNotWeighed = 40;
// After this nothing that a client left behind unanswered can still be under way.
constexpr Duration kAbandonedFor = seconds(10);
constexpr size_t kMostAbandoned = 1'000;

// A script may well make no key at all: it is refused where there is no room for any.
uint64_t least_keys(const Growth& growth) { return growth.unsure ? 1 : growth.keys; }

}  // namespace

TenantQuota::Admission TenantQuota::charge_if_fits(const Growth& growth, const Limits& limits,
                                                   uint32_t nodes, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  Admission admission{.verdict = check(growth, limits, nodes, now),
                      .much_room = has_much_room_locked(limits)};
  if (admission.verdict != Verdict::kFits) return admission;
  admission.worth_counting = !admission.much_room && keys_.base < limits.cache_keys / 2 &&
                             keys_.since() >= limits.cache_keys / 4;
  charge_locked(growth);
  return admission;
}

TenantQuota::Verdict TenantQuota::check(const Growth& growth, const Limits& limits, uint32_t nodes,
                                        MonotonicTime now) const {
  if (needs_count(growth, limits, nodes, now)) return Verdict::kCount;
  if (needs_weight(growth, limits, nodes, now)) return Verdict::kWeigh;
  return bytes_.base + growth.bytes > limits.cache_bytes ? Verdict::kFull : Verdict::kFits;
}

bool TenantQuota::fits_by_answer(const Growth& growth, const Limits& limits) const {
  const std::lock_guard lock(mutex_);
  return keys_.base + least_keys(growth) <= limits.cache_keys &&
         bytes_.base + growth.bytes <= limits.cache_bytes;
}

bool TenantQuota::needs_count(const Growth& growth, const Limits& limits, uint32_t nodes,
                              MonotonicTime now) const {
  if (growth.keys == 0 && !growth.unsure) return false;
  if (!keys_.known) return true;
  const Duration age = now - keys_.asked_at;
  if (keys_.unsure && age >= kCountAfterUnsure) return true;
  if (age >= (nodes > 1 ? kCountAmongNodes : kCountAgain)) return true;
  return !keys_fit(growth, limits, nodes);
}

bool TenantQuota::keys_fit(const Growth& growth, const Limits& limits, uint32_t nodes) const {
  return keys_.base + keys_.since() * nodes + least_keys(growth) <= limits.cache_keys;
}

bool TenantQuota::needs_weight(const Growth& growth, const Limits& limits, uint32_t nodes,
                               MonotonicTime now) const {
  const uint64_t since = bytes_.since() * nodes;
  const bool is_much = since >= limits.cache_bytes / kPartNotWeighed;
  // What was there before the door began counts as soon as the tenant begins to write.
  if (!bytes_.known) return is_much;
  const Duration age = now - weighed_at_;
  if (bytes_.base + growth.bytes > limits.cache_bytes) {
    return removed_ ? age >= weighing_took_ * kShareAfterRemoval
                    : age >= std::max(weighing_took_ * kShareWhenFull, kWeighWhenFull);
  }
  if (bytes_.unsure && age >= std::max(weighing_took_ * kShareAfterUnsure, kWeighAfterUnsure))
    return true;
  return is_much && bytes_.base + since + growth.bytes > limits.cache_bytes;
}

void TenantQuota::charge(const Growth& growth) {
  const std::lock_guard lock(mutex_);
  charge_locked(growth);
}

bool TenantQuota::charge_if_keys_fit(const Growth& growth, const Limits& limits, uint32_t nodes) {
  const std::lock_guard lock(mutex_);
  const bool makes_none = growth.keys == 0 && !growth.unsure;
  if (!makes_none && !keys_fit(growth, limits, nodes)) return false;
  charge_locked(growth);
  return true;
}

void TenantQuota::charge_locked(const Growth& growth) {
  keys_.charged += growth.keys;
  bytes_.charged += growth.bytes;
  keys_.unsure = keys_.unsure || growth.unsure;
  bytes_.unsure = bytes_.unsure || growth.unsure;
}

void TenantQuota::take_back(const Growth& growth) {
  const std::lock_guard lock(mutex_);
  keys_.charged -= growth.keys;
  bytes_.charged -= growth.bytes;
}

void TenantQuota::settle(const Growth& growth) {
  const std::lock_guard lock(mutex_);
  settle_locked(growth);
}

void TenantQuota::settle_locked(const Growth& growth) {
  keys_.settled += growth.keys;
  bytes_.settled += growth.bytes;
}

void TenantQuota::abandon(const Growth& growth, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (abandoned_.size() < kMostAbandoned) {
    abandoned_.push_back({growth, now});
  } else {
    abandoned_.back().growth += growth;
    abandoned_.back().at = now;
  }
}

TenantQuota::Mark TenantQuota::mark(Verdict what, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  while (!abandoned_.empty() && now - abandoned_.front().at >= kAbandonedFor) {
    settle_locked(abandoned_.front().growth);
    abandoned_.pop_front();
  }
  (what == Verdict::kWeigh ? bytes_ : keys_).unsure = false;
  return {.keys = keys_.settled, .bytes = bytes_.settled, .at = now};
}

bool TenantQuota::Tally::learn(uint64_t value, uint64_t mark, MonotonicTime asked) {
  if (known && asked < asked_at) return false;
  base = value;
  base_mark = mark;
  asked_at = asked;
  known = true;
  return true;
}

void TenantQuota::counted(const Mark& mark, uint64_t keys) {
  const std::lock_guard lock(mutex_);
  keys_.learn(keys, mark.keys, mark.at);
}

void TenantQuota::weighed(const Mark& mark, uint64_t bytes, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (!bytes_.learn(bytes, mark.bytes, mark.at)) return;
  weighing_took_ = now - mark.at;
  weighed_at_ = now;
  removed_ = false;
}

uint64_t TenantQuota::keys_under_way() const {
  const std::lock_guard lock(mutex_);
  return keys_.charged - keys_.settled;
}

bool TenantQuota::has_much_room(const Limits& limits) const {
  const std::lock_guard lock(mutex_);
  return has_much_room_locked(limits);
}

bool TenantQuota::has_much_room_locked(const Limits& limits) const {
  const auto is_low = [](const Tally& tally, uint64_t quota) {
    return tally.base + tally.since() < quota / kShares * kSharesWithMuchRoom;
  };
  return keys_.known && is_low(keys_, limits.cache_keys) && is_low(bytes_, limits.cache_bytes);
}

bool TenantQuota::may_evict(MonotonicTime now) const {
  const std::lock_guard lock(mutex_);
  return now >= evict_again_at_;
}

void TenantQuota::evicted(MonotonicTime began, MonotonicTime now, uint64_t keys) {
  const std::lock_guard lock(mutex_);
  if (keys == 0) evict_again_at_ = now + std::max((now - began) * kShareWhenFull, kLookWhenFull);
}

bool TenantQuota::may_look_through(MonotonicTime now) const {
  const std::lock_guard lock(mutex_);
  if (!looked_) return true;
  const Duration age = now - looked_at_;
  return keys_removed_ ? age >= looking_took_ * kShareAfterRemoval
                       : age >= std::max(looking_took_ * kShareWhenFull, kLookWhenFull);
}

void TenantQuota::looked_through(MonotonicTime began, MonotonicTime now, bool found) {
  const std::lock_guard lock(mutex_);
  looking_took_ = now - began;
  looked_at_ = now;
  looked_ = true;
  keys_removed_ = found;  // then there may be more
}

uint64_t TenantQuota::keys_since_count() const {
  const std::lock_guard lock(mutex_);
  return keys_.since();
}

TenantQuota::Usage TenantQuota::usage() const {
  const std::lock_guard lock(mutex_);
  return {
      .keys = keys_.base, .bytes = bytes_.base, .counted = keys_.known, .weighed = bytes_.known};
}

}  // namespace partywall::cache
