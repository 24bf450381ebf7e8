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

// A slot role that the door cannot use, because of what a tenant's statement did.
struct SlotRepair {
  SqlBackend backend;
  uint32_t slot = 0;  // its number, from 1
  // The server process of a connection that was closed while a statement ran, which may run on and
  // keeps the role in use; it is ended. 0: the role itself was changed, and is put right.
  uint32_t left_over_pid = 0;
  // Called on the keeper's thread; false: there was nothing to put right any more.
  std::function<void(Result<bool>)> done;
};

// Carries out repairs, one after the other, on a thread of its own that begins with the first one.
// How many wait is bounded by those who ask: a pool asks once for each of its slots.
class SlotKeeper {
 public:
  using Repair = std::function<Result<bool>(const SlotRepair&)>;

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
