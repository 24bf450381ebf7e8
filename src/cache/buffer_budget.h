#pragma once

#include <cstddef>
#include <unordered_map>

#include "tenancy/tenant.h"

namespace partywall::cache {

// Bounds the memory that unfinished requests of one tenant's clients take on a worker.
class BufferBudget {
 public:
  explicit BufferBudget(size_t max_bytes) : max_bytes_(max_bytes) {}
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  // What one client has of it. Gives itself back.
  class [[nodiscard]] Units {
   public:
    Units() = default;
    Units(const Units&) = delete;
    Units& operator=(const Units&) = delete;
    ~Units() { release(); }

    // False, and nothing is changed, where that is more than there is. `budget` must outlive it.
    bool resize(BufferBudget& budget, TenantNumber owner, size_t bytes) {
      const bool same = budget_ == &budget && owner_ == owner;
      if (bytes > (same ? bytes_ : 0) &&
          budget.used(owner) - (same ? bytes_ : 0) + bytes > budget.max_bytes_) {
        return false;
      }
      release();
      if (bytes == 0) return true;
      budget.used_[owner] += bytes;
      budget_ = &budget;
      owner_ = owner;
      bytes_ = bytes;
      return true;
    }
    void release() {
      if (budget_ == nullptr) return;
      const auto used = budget_->used_.find(owner_);
      used->second -= bytes_;
      if (used->second == 0) budget_->used_.erase(used);
      budget_ = nullptr;
      bytes_ = 0;
    }

   private:
    BufferBudget* budget_ = nullptr;
    TenantNumber owner_;
    size_t bytes_ = 0;
  };

  [[nodiscard]] size_t used(TenantNumber owner) const {
    const auto found = used_.find(owner);
    return found == used_.end() ? 0 : found->second;
  }

 private:
  size_t max_bytes_;
  std::unordered_map<TenantNumber, size_t> used_;
};

}  // namespace partywall::cache
