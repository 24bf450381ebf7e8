#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/quota/key_index.h"
#include "tenancy/limits.h"

namespace partywall::cache {

// What the door asks Redis about a tenant's quota, one step at a time: in database mode as the
// tenant's own user and so within its own databases, in prefix mode as the user that keeps the
// indexes. None of the steps takes Redis long, so that others get their turn in between.
class QuotaQuestions {
 public:
  struct Step {
    uint32_t database = 0;  // the tenant's number of it
    std::string request;
  };
  struct Evicted {
    uint64_t keys = 0;
    uint64_t bytes = 0;
  };

  virtual ~QuotaQuestions() = default;
  QuotaQuestions() = default;
  QuotaQuestions(const QuotaQuestions&) = delete;
  QuotaQuestions& operator=(const QuotaQuestions&) = delete;

  // What to ask next; nothing when all is known. To be called once before each answered().
  [[nodiscard]] virtual std::optional<Step> next() = 0;
  // The reply to the last step. False: it cannot be used, and there is no point in going on.
  [[nodiscard]] virtual bool answered(std::string_view reply) = 0;

  // Keys, bytes, or how many of the keys are there: what was asked for.
  [[nodiscard]] uint64_t result() const { return result_; }
  [[nodiscard]] const Evicted& evicted() const { return evicted_; }
  // Names have left an index.
  [[nodiscard]] bool forgot_names() const { return forgot_names_; }
  // Keys were to make room, whether some did or not.
  [[nodiscard]] bool tried_to_evict() const { return tried_to_evict_; }
  // It went through an index to see which of the keys are still there.
  [[nodiscard]] bool looked_through() const { return looked_through_; }

 protected:
  uint64_t result_ = 0;
  Evicted evicted_;
  bool forgot_names_ = false;
  bool looked_through_ = false;
  bool tried_to_evict_ = false;
};

// What goes with counting by indexes.
struct IndexesToCount {
  KeyPrefixes prefixes{};  // empty: there are none
  // Names whose keys may well be gone.
  uint32_t database = 0;
  std::vector<std::string> removed{};
  bool may_look_through = false;
};

// How many keys there are. Where the tenant evicts: makes room for `need` more, and then some.
// Where an index says that there is no room, and the tenant refuses: looks which of its names are
// of keys that are gone.
class CountKeysOf final : public QuotaQuestions {
 public:
  // `under_way`: keys that may be about to be made, by all of the tenant's clients.
  CountKeysOf(const Limits& limits, uint64_t need, uint64_t under_way, IndexesToCount indexes = {});
  std::optional<Step> next() override;
  bool answered(std::string_view reply) override;

 private:
  enum class Stage : uint8_t { kCount, kEvict, kVerifyRemoved, kLookThrough, kDone };

  [[nodiscard]] uint64_t total() const;
  [[nodiscard]] uint32_t fullest() const;
  [[nodiscard]] Step ask(uint32_t database);
  void note_evicted(uint64_t left, uint64_t evicted);
  void look_for_room();
  void note_looked_through(uint64_t cursor, uint64_t left);

  Limits limits_;
  IndexesToCount indexes_;
  uint64_t begin_above_;  // evicts where there are more keys
  uint64_t target_;       // until there are no more than these
  uint64_t enough_;       // keys, where the tenant refuses and there is room
  std::vector<uint64_t> counts_;
  uint32_t asked_ = 0;   // database of the last step
  uint64_t cursor_ = 0;  // in the index that is looked through
  Stage stage_ = Stage::kCount;
};

// How much memory all keys take. Where the tenant evicts: makes room.
class WeighKeysOf final : public QuotaQuestions {
 public:
  WeighKeysOf(const Limits& limits, uint64_t need, KeyPrefixes prefixes = {});
  std::optional<Step> next() override;
  bool answered(std::string_view reply) override;

 private:
  bool note_weight(const std::vector<int64_t>& numbers);
  void next_database();

  Limits limits_;
  KeyPrefixes prefixes_;
  uint32_t databases_;
  uint64_t begin_above_;
  uint64_t target_;
  uint32_t database_ = 0;
  uint32_t emptied_ = 0;  // databases in which nothing was left to evict
  uint64_t cursor_ = 0;
  bool weighed_ = false;
  bool done_ = false;
};

// A request that takes those of these names out of an index whose keys are gone.
std::string verify_names(std::string_view key_prefix, const std::vector<std::string>& names);

// How many of these keys are there.
class ExistingKeys final : public QuotaQuestions {
 public:
  // `prefix`: what they begin with in Redis.
  ExistingKeys(uint32_t database, const std::vector<std::string_view>& keys,
               std::string_view prefix = {});
  std::optional<Step> next() override;
  bool answered(std::string_view reply) override;

 private:
  std::optional<Step> step_;
};

}  // namespace partywall::cache
