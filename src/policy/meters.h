#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "base/metrics.h"
#include "policy/tenant_states.h"
#include "tenancy/tenant.h"

namespace partywall {

// What one worker counted, per tenant: a row of Counters for each tenant number, one for each value
// of an enum that ends with kCount:
//   enum class HttpMeter { kRequests, kBytesIn, kCount };
//   Meters<HttpMeter> meters;   meters.add(tenant.number, HttpMeter::kRequests);
// The worker that owns it adds; any thread may read at the same time. Rows never move. A tenant
// costs 8 bytes a meter and worker, whether it does anything or not.
template <class Meter>
class Meters {
 public:
  static constexpr size_t kMeterCount = std::to_underlying(Meter::kCount);
  using Row = std::array<Counter, kMeterCount>;
  static constexpr size_t kBytesPerTenant = sizeof(Row);

  Meters() = default;
  Meters(const Meters&) = delete;
  Meters& operator=(const Meters&) = delete;
  ~Meters() {
    for (std::atomic<Chunk*>& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
  }

  // Only by the owner. Throws std::length_error beyond TenantStates::kMaxTenants.
  void add(TenantNumber tenant, Meter meter, uint64_t amount = 1) {
    row(tenant)[index_of(meter)].add(amount);
  }

  // Only by the owner: the row of one tenant, for whoever counts several meters of one request.
  Row& row(TenantNumber tenant) {
    std::atomic<Chunk*>& slot = slot_of(tenant);
    Chunk* chunk = slot.load(std::memory_order_relaxed);
    if (chunk == nullptr) {
      chunk = new Chunk();
      slot.store(chunk, std::memory_order_release);
    }
    return (*chunk)[tenant.value() % kChunkSize];
  }

  // From any thread. 0 for a tenant that was never counted.
  [[nodiscard]] uint64_t value(TenantNumber tenant, Meter meter) const {
    const Chunk* chunk = const_cast<Meters*>(this)->slot_of(tenant).load(std::memory_order_acquire);
    return chunk == nullptr ? 0 : (*chunk)[tenant.value() % kChunkSize][index_of(meter)].value();
  }

 private:
  static constexpr uint32_t kChunkSize = 256;
  using Chunk = std::array<Row, kChunkSize>;

  static constexpr size_t index_of(Meter meter) {
    return static_cast<size_t>(std::to_underlying(meter));
  }

  std::atomic<Chunk*>& slot_of(TenantNumber tenant) {
    const uint32_t chunk = tenant.value() / kChunkSize;
    if (chunk >= chunks_.size())
      throw std::length_error("meters: the tenant number is out of range");
    return chunks_[chunk];
  }

  std::array<std::atomic<Chunk*>, TenantStates::kMaxTenants / kChunkSize> chunks_{};
};

}  // namespace partywall
