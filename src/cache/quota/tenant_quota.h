#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

#include "base/time.h"
#include "cache/quota/growth.h"
#include "cache/quota/hit_rate_estimator.h"
#include "tenancy/limits.h"

namespace partywall::cache {

// How near a tenant is to its quota, as one node knows it without asking Redis for every command:
// what was last counted there, and by how much may have been added since. All workers share it;
// thread-safe.
//
// The sum is an upper bound. A command is charged before it is sent, and what Redis counts takes in
// only what it had answered before it was asked: whatever was under way at that time counts on top.
// Scripts, and commands that make one key of others, have no bound: they are charged with an
// assumption, and looked at again soon.
class TenantQuota {
 public:
  enum class Verdict : uint8_t {
    kFits,
    kCount,  // the keys must be counted before it can be told
    kWeigh,  // the same of the bytes
    kFull,   // the tenant was weighed not long ago, and there is no room for so many bytes
  };

  struct Usage {
    uint64_t keys = 0;   // as last counted
    uint64_t bytes = 0;  // as last weighed
    bool counted = false;
    bool weighed = false;
  };

  // What had been charged, and answered, when Redis was asked.
  struct Mark {
    uint64_t keys = 0;
    uint64_t bytes = 0;
    MonotonicTime at{};
  };

  struct Admission {
    Verdict verdict = Verdict::kFits;
    // Whoever keeps an index may leave out names that are in it: there is so much room that nobody
    // takes any out because of the quota.
    bool much_room = false;
    // There would be much room, were it not for what was charged since the last count, which may
    // well have been for keys that were there.
    bool worth_counting = false;
  };

  // Charges it where it fits. `nodes`: so many share the tenant's traffic, each of them without
  // knowing of the others.
  [[nodiscard]] Admission charge_if_fits(const Growth& growth, const Limits& limits, uint32_t nodes,
                                         MonotonicTime now);
  // Right after an answer: as it says, and whatever else is under way.
  [[nodiscard]] bool fits_by_answer(const Growth& growth, const Limits& limits) const;

  void charge(const Growth& growth);
  // What was charged is not sent.
  void take_back(const Growth& growth);
  // False: the keys do not fit, because of what others were charged since they were counted.
  [[nodiscard]] bool charge_if_keys_fit(const Growth& growth, const Limits& limits, uint32_t nodes);
  // What was charged has been answered: from now on a count takes it in.
  void settle(const Growth& growth);
  // Whoever had charged it went away before it was answered; Redis may still carry it out.
  void abandon(const Growth& growth, MonotonicTime now);
  // Something was removed: it is worth weighing again.
  void note_removal() {
    if (!removed_.load(std::memory_order_relaxed)) removed_.store(true, std::memory_order_relaxed);
    if (!keys_removed_.load(std::memory_order_relaxed))
      keys_removed_.store(true, std::memory_order_relaxed);
  }

  // `what` will be asked now: kCount or kWeigh.
  [[nodiscard]] Mark mark(Verdict what, MonotonicTime now);
  void counted(const Mark& mark, uint64_t keys);
  void weighed(const Mark& mark, uint64_t bytes, MonotonicTime now);
  // Charged and not answered.
  [[nodiscard]] uint64_t keys_under_way() const;
  // Charged and not known to be in the last count: another one may say less.
  [[nodiscard]] uint64_t keys_since_count() const;

  // --- Of a tenant some of whose keys must not be evicted: of those that may go there may be none.
  // Is it worth looking? That takes Redis a while.
  [[nodiscard]] bool may_evict(MonotonicTime now) const;
  void evicted(MonotonicTime began, MonotonicTime now, uint64_t keys);

  // --- Of prefix mode, where keys are counted by the names in an index.
  // There is so much room that nobody takes names out of the index because of the quota.
  [[nodiscard]] bool has_much_room(const Limits& limits) const;
  // May its names be compared with the keys that are there? That takes Redis a while.
  [[nodiscard]] bool may_look_through(MonotonicTime now) const;
  // It was done; `found`: names without keys.
  void looked_through(MonotonicTime began, MonotonicTime now, bool found);
  // Names have left the index, or did not get into it: which ones are there is not known any more.
  void forgot_names() { epoch_.fetch_add(1, std::memory_order_relaxed); }
  // Counts how often.
  [[nodiscard]] uint64_t names_epoch() const { return epoch_.load(std::memory_order_relaxed); }

  [[nodiscard]] Usage usage() const;
  // Of what the tenant looks up, with and without room for more.
  [[nodiscard]] HitRateEstimator& hit_rates() { return hit_rates_; }

 private:
  struct Tally {
    uint64_t charged = 0;  // since the beginning, like the others
    uint64_t settled = 0;
    uint64_t base = 0;       // what Redis said
    uint64_t base_mark = 0;  // had been settled when it was asked
    bool known = false;
    bool unsure = false;  // since it was asked
    MonotonicTime asked_at{};

    [[nodiscard]] uint64_t since() const { return charged - base_mark; }
    // What Redis said when `mark` had been settled; false: of two that overlap, the other one asked
    // later and knows more.
    bool learn(uint64_t value, uint64_t mark, MonotonicTime asked);
  };
  struct Abandoned {
    Growth growth;
    MonotonicTime at;
  };

  [[nodiscard]] Verdict check(const Growth& growth, const Limits& limits, uint32_t nodes,
                              MonotonicTime now) const;
  [[nodiscard]] bool needs_count(const Growth& growth, const Limits& limits, uint32_t nodes,
                                 MonotonicTime now) const;
  [[nodiscard]] bool needs_weight(const Growth& growth, const Limits& limits, uint32_t nodes,
                                  MonotonicTime now) const;
  [[nodiscard]] bool has_much_room_locked(const Limits& limits) const;
  [[nodiscard]] bool keys_fit(const Growth& growth, const Limits& limits, uint32_t nodes) const;
  void charge_locked(const Growth& growth);
  void settle_locked(const Growth& growth);

  HitRateEstimator hit_rates_;
  mutable std::mutex mutex_;
  Tally keys_;
  Tally bytes_;
  Duration weighing_took_{};
  MonotonicTime weighed_at_{};
  std::atomic<bool> removed_{false};  // something, since it was weighed
  MonotonicTime evict_again_at_{};
  Duration looking_took_{};
  MonotonicTime looked_at_{};
  bool looked_ = false;                    // at all
  std::atomic<bool> keys_removed_{false};  // since the index was looked through
  std::atomic<uint64_t> epoch_{0};
  std::deque<Abandoned> abandoned_;
};

}  // namespace partywall::cache
