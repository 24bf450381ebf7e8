#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "net/stream.h"
#include "sql/wire/startup.h"
#include "tenancy/tenant.h"

namespace partywall::sql {

// What the console shows of a client.
struct ClientInfo {
  std::string user;
  std::string cell;                // empty: it has nothing to do with one
  std::optional<TenantId> tenant;  // whose data it can reach now
  std::string_view state;          // "idle", "active", "idle in transaction", "waiting", …
  std::optional<MonotonicTime> state_since;
  MonotonicTime connected_at;
  std::optional<uint32_t> server_pid;
  bool is_pinned = false;
  net::Peer peer;
  std::string application_name;
};

// A client that has logged in.
class ConnectedClient {
 public:
  virtual ~ConnectedClient() = default;
  virtual void cancel_statement() = 0;
  // Ends it with 57P01, whatever it does.
  virtual void end_by_operator() = 0;
  [[nodiscard]] virtual ClientInfo describe() const = 0;
};

// The clients of one worker, and the keys they were given to cancel their statements
// (BackendKeyData). The "pid" of a key, which is the client's id, says which worker has it.
class ClientRegistry {
 public:
  ClientRegistry(unsigned worker_index, Random& random)
      : worker_index_(worker_index), random_(random) {}

  CancelRequest add(ConnectedClient& client);
  void remove(const CancelRequest& key);
  // Tells the client, if the whole key is right.
  void cancel(const CancelRequest& key);

  // nullptr: there is no such client here.
  [[nodiscard]] ConnectedClient* find(uint32_t id) const;
  // In the order of their ids. `visit` may end clients.
  void for_each(const std::function<void(uint32_t id, ConnectedClient&)>& visit) const;

  [[nodiscard]] static unsigned worker_of(uint32_t id) { return id >> kClientBits; }

 private:
  static constexpr unsigned kClientBits = 24;  // 16 million clients on each of 128 workers

  struct Entry {
    uint32_t secret = 0;
    ConnectedClient* client = nullptr;
  };
  unsigned worker_index_;
  Random& random_;
  uint32_t last_ = 0;
  std::map<uint32_t, Entry> entries_;  // by id
};

}  // namespace partywall::sql
