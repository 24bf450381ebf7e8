#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cache/quota/quota_questions.h"
#include "cache/quota/tenant_quota.h"

namespace partywall::cache {

// What one session has charged its tenant with and Redis has not answered yet. It is settled in two
// parts, so that a client whose pipeline is never empty is settled too.
class OpenCharges {
 public:
  // `due`: with so many answers, counted since the session began, all of it is answered.
  void add(const Growth& growth, uint64_t due) {
    (older_.none() ? older_ : newer_) += growth;
    (newer_.none() ? older_due_ : newer_due_) = due;
  }
  // What is answered now, after so many answers.
  Growth take_answered(uint64_t answered) {
    if (older_.none() || answered < older_due_) return {};
    older_due_ = newer_due_;
    return std::exchange(older_, std::exchange(newer_, {}));
  }
  Growth take_all() {
    Growth all = std::exchange(older_, {});
    all += std::exchange(newer_, {});
    return all;
  }
  [[nodiscard]] bool none() const { return older_.none(); }

 private:
  Growth older_;
  Growth newer_;
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

}  // namespace partywall::cache
