#pragma once

#include <memory>
#include <optional>

#include "base/time.h"
#include "net/event.h"
#include "policy/concurrency.h"
#include "policy/limit_desk.h"
#include "sql/pool/pool_plan.h"
#include "sql/pool/server_connection.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {

class CellPool;

// What a lease takes up of the tenant's connections: over all workers, and in this pool.
struct LeaseUnits {
  ConcurrencyUnits of_tenant;
  ConcurrencyUnits of_pool;

  void release() {
    of_tenant.release();
    of_pool.release();
  }
};

// A session's claim to a server connection: it waits, then holds one, then gives it back. Gives it
// back (or leaves the queue) by itself at the end of its life.
class ServerLease : private PoolWaiter {
 public:
  explicit ServerLease(net::Event& wake) : wake_(wake) {}
  ServerLease(const ServerLease&) = delete;
  ServerLease& operator=(const ServerLease&) = delete;
  ~ServerLease() { release(); }

  [[nodiscard]] bool is_waiting() const { return pool_ && !connection_; }
  [[nodiscard]] const std::shared_ptr<ServerConnection>& connection() const { return connection_; }
  // Why there will be none; the lease is empty again then.
  std::optional<SqlError> take_refusal() { return std::exchange(refusal_, std::nullopt); }
  [[nodiscard]] MonotonicTime waiting_since() const { return waiting_since_; }

  // Gives back what it holds, in whatever state that is; leaves the queue.
  void release();

 private:
  friend class CellPool;

  net::Event& wake_;
  CellPool* pool_ = nullptr;
  LimitAsk limit_;  // the tenant's, of connections
  PoolPlan::Queue::Ticket ticket_;
  std::shared_ptr<ServerConnection> connection_;
  LeaseUnits units_;
  std::optional<SqlError> refusal_;
  MonotonicTime waiting_since_;
  bool is_asking_ = false;  // within request(): whoever asks looks by itself
};

}  // namespace partywall::sql
