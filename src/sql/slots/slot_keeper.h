#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "tenancy/cell.h"

namespace partywall::sql {

// A slot role to be put right: a tenant's statement has changed its password, say.
struct SlotRepair {
  SqlBackend backend;
  uint32_t slot = 0;                   // its number, from 1
  std::function<void(Result<>)> done;  // called on the keeper's thread
};

// Carries out repairs, one after the other, on a thread of its own that begins with the first one.
// How many wait is bounded by those who ask: a pool asks once for each of its slots.
class SlotKeeper {
 public:
  using Repair = std::function<Result<>(const SqlBackend&, uint32_t slot)>;

  SlotKeeper();  // repairs with the cell's provisioner login; blocks for seconds at most
  explicit SlotKeeper(Repair repair) : repair_(std::move(repair)) {}
  ~SlotKeeper() { stop(); }
  SlotKeeper(const SlotKeeper&) = delete;
  SlotKeeper& operator=(const SlotKeeper&) = delete;

  // After stop() it is forgotten.
  void submit(SlotRepair repair);
  // Waits for the one under way; those that wait are forgotten. Idempotent.
  void stop();

 private:
  void run();

  Repair repair_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SlotRepair> waiting_;
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace partywall::sql
