#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "cache/resp/resp_writer.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// What CLIENT LIST and its like say about one logged-in client.
struct ClientRecord {
  uint64_t id = 0;  // unique within the process; names the worker too
  TenantId tenant;
  std::string user;
  std::string address;
  std::string name;     // CLIENT SETNAME
  std::string library;  // CLIENT SETINFO
  std::string library_version;
  uint32_t database = 0;
  Protocol protocol = Protocol::kResp2;
  bool subscribed = false;
  size_t patterns = 0;  // that it subscribes to
  bool blocked = false;
  MonotonicTime connected_at{};

  bool operator==(const ClientRecord&) const = default;
};

// What one client of a tenant may have done to another one of the same tenant.
enum class ClientOrder : uint8_t {
  kKill,
  kUnblock,
  kUnblockWithError,
  kInvalidate,     // a key that it, or who redirects to it, may have kept
  kInvalidateAll,  // all keys
};

// The logged-in clients of all workers of the door, so that a tenant sees and ends its own wherever
// they are served. Written when a client logs in, never for a request. From any thread.
class ClientRegister {
 public:
  // Hands an order to the worker that serves the client; from any thread.
  using Deliver = std::function<void(uint64_t client, ClientOrder order, std::string key)>;

  // A client belongs to worker `id % workers`.
  explicit ClientRegister(unsigned workers = 1);

  void set_deliver(unsigned worker, Deliver deliver);

  // Enters a client, or what has changed about it.
  void enter(const ClientRecord& record);
  void leave(uint64_t id);
  void set_blocked(uint64_t id, bool blocked);

  // Sorted by id.
  [[nodiscard]] std::vector<ClientRecord> of(TenantId tenant) const;
  // Only if it is one of the tenant's.
  [[nodiscard]] std::optional<ClientRecord> find(TenantId tenant, uint64_t id) const;
  void order(uint64_t id, ClientOrder order, std::string key = {}) const;

 private:
  struct Part {
    mutable std::mutex mutex;
    std::unordered_map<uint64_t, ClientRecord> clients;
    Deliver deliver;
  };
  [[nodiscard]] Part& part_of(uint64_t id) const { return *parts_[id % parts_.size()]; }

  std::vector<std::unique_ptr<Part>>
      parts_;  // one for each worker: they do not wait for each other
};

}  // namespace partywall::cache
