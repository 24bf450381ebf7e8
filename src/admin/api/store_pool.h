#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "store/control/control_store.h"

namespace partywall::admin {

// Connections to the control store, each used by one call at a time. As many as calls ever ran at
// once: the handler threads bound that.
class StorePool {
 public:
  class [[nodiscard]] Lease {
   public:
    Lease(StorePool& pool, std::unique_ptr<store::ControlStore> store)
        : pool_(&pool), store_(std::move(store)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (store_) pool_->give_back(std::move(store_));
    }
    [[nodiscard]] store::ControlStore& operator*() const { return *store_; }
    [[nodiscard]] store::ControlStore* operator->() const { return store_.get(); }

   private:
    StorePool* pool_;
    std::unique_ptr<store::ControlStore> store_;
  };

  // `random` outlives the pool.
  StorePool(store::ControlStoreSettings settings, Random& random)
      : settings_(std::move(settings)), random_(random) {}

  Lease take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return {*this, std::make_unique<store::ControlStore>(settings_, random_)};
    auto store = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(store)};
  }

 private:
  void give_back(std::unique_ptr<store::ControlStore> store) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(store));
  }

  const store::ControlStoreSettings settings_;
  Random& random_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<store::ControlStore>> idle_;
};

}  // namespace partywall::admin
