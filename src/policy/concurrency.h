#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace partywall {

class ConcurrencyGate;

// The right to do one unit of work; gives itself back.
class [[nodiscard]] ConcurrencyUnits {
 public:
  ConcurrencyUnits() = default;
  ConcurrencyUnits(ConcurrencyUnits&& other) noexcept
      : gate_(std::exchange(other.gate_, nullptr)) {}
  ConcurrencyUnits& operator=(ConcurrencyUnits&& other) noexcept {
    if (this != &other) {
      release();
      gate_ = std::exchange(other.gate_, nullptr);
    }
    return *this;
  }
  ~ConcurrencyUnits() { release(); }
  void release();
  [[nodiscard]] bool held() const { return gate_ != nullptr; }

 private:
  friend class ConcurrencyGate;
  explicit ConcurrencyUnits(ConcurrencyGate* gate) : gate_(gate) {}
  ConcurrencyGate* gate_ = nullptr;
};

// Counts units in use over all workers of the process. The limit is an argument, because a new
// directory may change it at any time; lowering it takes no unit away.
class ConcurrencyGate {
 public:
  std::optional<ConcurrencyUnits> try_acquire(uint32_t limit);
  [[nodiscard]] uint32_t in_use() const { return in_use_.load(std::memory_order_relaxed); }

 private:
  friend class ConcurrencyUnits;
  std::atomic<uint32_t> in_use_{0};
};

}  // namespace partywall
