#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cache/quota/key_index.h"
#include "cache/quota/quota_questions.h"
#include "cache/quota/tenant_quota.h"

namespace partywall::cache {

// What a tenant is charged with, and the keys that it may have made, where they are written down.
struct Charge {
  Growth growth;
  NewNames names;

  Charge& operator+=(const Charge& other) {
    growth += other.growth;
    names += other.names;
    return *this;
  }
  [[nodiscard]] bool none() const { return growth.none() && names.empty(); }
};

// What one session has charged its tenant with and Redis has not answered yet. It is settled in two
// parts, so that a client whose pipeline is never empty is settled too.
class OpenCharges {
 public:
  // `due`: with so many answers, counted since the session began, all of it is answered.
  void add(const Growth& growth, const NewNames& names, uint64_t due) {
    Charge& charge = older_.none() ? older_ : newer_;
    charge.growth += growth;
    if (!names.empty()) charge.names += names;
    (newer_.none() ? older_due_ : newer_due_) = due;
  }
  // What is answered now, after so many answers.
  Charge take_answered(uint64_t answered) {
    if (older_.none() || answered < older_due_) return {};
    older_due_ = newer_due_;
    return std::exchange(older_, std::exchange(newer_, {}));
  }
  Charge take_all() {
    Charge all = std::exchange(older_, {});
    all += std::exchange(newer_, {});
    return all;
  }
  // The names alone, before they are answered.
  NewNames take_names() {
    NewNames all = std::exchange(older_.names, {});
    all += std::exchange(newer_.names, {});
    return all;
  }
  [[nodiscard]] size_t name_bytes() const {
    return older_.names.bulks.size() + newer_.names.bulks.size();
  }
  // Of what database the names are.
  [[nodiscard]] bool names_are_of(uint32_t database) const {
    return (older_.names.empty() || older_.names.database == database) &&
           (newer_.names.empty() || newer_.names.database == database);
  }
  [[nodiscard]] bool none() const { return older_.none(); }

 private:
  Charge older_;
  Charge newer_;
  uint64_t older_due_ = 0;
  uint64_t newer_due_ = 0;
};

// What a session asks Redis before it passes on a request, under way.
struct QuotaWork {
  enum class What : uint8_t { kCount, kWeigh, kExisting };

  What what = What::kCount;
  std::unique_ptr<QuotaQuestions> questions;
  TenantQuota::Mark mark;
  std::string failure;  // an error for the client: it cannot be told
};

// What has been found out about the request that the session is looking at.
struct QuotaTry {
  uint8_t counts = 0;
  uint8_t weighings = 0;
  size_t keys = 0;  // that it may make
  bool asked_existing = false;
  bool all_exist = false;  // it makes no key
};

// Keys that a session has removed, or may have, while its tenant is at its quota: their names are
// looked at first when room is sought.
class RemovedKeys {
 public:
  void add(uint32_t database, std::string_view key) {
    if (database != database_) *this = {};
    database_ = database;
    if (names_.size() < kMostNames && key.size() <= kLongestName) names_.emplace_back(key);
  }
  [[nodiscard]] uint32_t database() const { return database_; }
  std::vector<std::string> take() { return std::exchange(names_, {}); }

 private:
  static constexpr size_t kMostNames = 64;
  static constexpr size_t kLongestName = 256;

  uint32_t database_ = 0;
  std::vector<std::string> names_;
};

}  // namespace partywall::cache
