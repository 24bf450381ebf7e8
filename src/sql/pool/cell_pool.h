#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "identity/scram.h"
#include "net/drain.h"
#include "net/loop.h"
#include "net/scope.h"
#include "policy/limit_desk.h"
#include "sql/pool/pool_plan.h"
#include "sql/pool/server_connection.h"
#include "sql/pool/server_lease.h"
#include "sql/server/server_login_fsm.h"
#include "sql/slots/slot_keeper.h"
#include "tenancy/cell.h"

namespace partywall::sql {

struct PoolSettings {
  PoolLimits limits;
  Duration connect_timeout = seconds(5);  // to the server, login included
  Duration reset_timeout = seconds(2);
  Duration clean_after = seconds(1);  // idle at least that long, and no clean one left: reset one
  Duration idle_lifetime = minutes(10);      // then it is closed
  Duration left_over_after = seconds(3);     // closed while a statement ran: then it is ended
  Duration repair_spacing = seconds(1);      // between two repairs of one slot role
  Duration probe_after = milliseconds(100);  // idle longer: look whether it is still there
  size_t max_statements_per_connection = 256;
};

class CellPool;

// What a worker's pools share.
struct PoolContext {
  net::Loop& loop;
  net::TaskScope& scope;
  LimitDesk& limits;
  Random& random;
  net::Drain& drain;  // its last stage ends what only waits
  PoolSettings settings;
  // Called when a connection was given back: other workers may have sessions of its tenant waiting.
  std::function<void()> on_units_released;
  // Called when a session has to wait.
  std::function<void()> on_waiting;
  // A statement of the tenant ran for so long after its connection had been closed.
  std::function<void(TenantId tenant, Duration ran)> on_ran_on;
  // Has a slot role repaired with which the door cannot log in any more; the backend is filled in,
  // `done` is called on this loop.
  std::function<void(const CellPool& pool, SlotRepair repair)> repair_slot;
};

// Since the pool was made.
struct PoolCounters {
  uint64_t connects = 0;
  uint64_t connect_failures = 0;
  uint64_t resets = 0;
  uint64_t reset_failures = 0;
  uint64_t enters = 0;
  uint64_t grants = 0;
  uint64_t waits = 0;
  uint64_t changed_slots = 0;  // slot roles found changed, so that the door could not log in
  uint64_t repaired_slots = 0;
  uint64_t left_over_sessions = 0;  // closed while a statement ran, and ended by force
};

// The server connections of one worker to one cell's database.
class CellPool {
 public:
  // `slots`: the numbers (from 1) of the slot roles that this worker may use.
  CellPool(PoolContext& context, const Cell& cell, std::vector<uint32_t> slots);
  ~CellPool();
  CellPool(const CellPool&) = delete;
  CellPool& operator=(const CellPool&) = delete;

  struct Request {
    TenantId tenant;  // the nil id: a connection with an empty register, no limit
    TenantNumber number;
    uint32_t weight = 1;
    uint32_t max_connections = 0;  // of the tenant, over all workers
  };
  // Grants at once where possible; otherwise the lease waits, and its event is set when it has been
  // granted or refused.
  void request(ServerLease& lease, const Request& request);

  // The ParameterStatus messages of the server: nullptr until a connection has been made. Then the
  // event is set, and also when that failed.
  [[nodiscard]] const Settings* greeting() const { return greeting_ ? &*greeting_ : nullptr; }
  void want_greeting(net::Event& event);

  // Units of some tenant have become free elsewhere.
  void serve() { run_steps(); }
  // About once a second: looks after idle connections.
  void tick();
  // No new connections; those that are idle are closed, others when they are given back.
  void close();
  // Nobody is served any more, sessions wait (queue_timeout at most); connections are closed as
  // they become idle. Repeating it closes those that have become so meanwhile.
  void pause();
  void resume();
  [[nodiscard]] bool is_paused() const { return is_paused_; }
  // Every connection of now is replaced as soon as nobody has it.
  void reconnect();
  struct ServerView {
    PoolPlan::SlotView slot;
    std::string role;
    std::optional<TenantId> tenant;  // that it is bound to
    std::optional<uint32_t> pid;     // once it has logged in
  };
  [[nodiscard]] std::vector<ServerView> servers() const;
  [[nodiscard]] const PoolCounters& counters() const { return counters_; }
  [[nodiscard]] const SqlBackend& backend() const { return backend_; }
  [[nodiscard]] CellKind kind() const { return kind_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  struct Gauges {
    uint32_t open = 0;
    uint32_t idle = 0;
    uint32_t waiting = 0;
    uint32_t slots = 0;
  };
  [[nodiscard]] Gauges gauges() const;
  [[nodiscard]] bool has_waiting() const { return plan_.waiting() > 0; }
  // Closed, and nobody holds a connection of it any more: it may be destroyed.
  [[nodiscard]] bool is_unused() const {
    return is_closed_ && tasks_ == 0 && plan_.open() == 0 && plan_.waiting() == 0;
  }

  // Tells the server to stop what the connection is doing; the connection is not lent to anybody
  // else before that has been delivered.
  void cancel(std::shared_ptr<ServerConnection> connection);

 private:
  friend class ServerLease;

  struct LimitWait final : LimitWaiter {
    explicit LimitWait(CellPool& its_pool) : pool(its_pool) {}
    void limit_answered() override { pool.serve(); }
    CellPool& pool;
  };

  void give_back(ServerLease& lease);
  void put_away(const std::shared_ptr<ServerConnection>& connection);
  void leave(ServerLease& lease);
  void run_steps();
  [[nodiscard]] uint32_t most_of_one_tenant() const;
  bool may_serve(const LimitAsk& limit);
  void wait_for_limit(const LimitAsk& limit);
  void take(const PoolPlan::Step& step);
  void grant(PoolPlan::Slot slot, ServerLease& lease);
  void enqueue(ServerLease& lease);
  void refuse(ServerLease& lease, const SqlError& error);
  void refuse_all(const SqlError& error);
  void drop(PoolPlan::Slot slot);
  void drop_idle();
  [[nodiscard]] std::string role_of(PoolPlan::Slot slot) const;
  bool is_still_there(ServerConnection& connection);
  void spawn(net::Task<> task);
  net::Task<> run_counted(net::Task<> task);
  net::Task<> connect(PoolPlan::Slot slot);
  [[nodiscard]] std::string last_tenant(PoolPlan::Slot slot) const;
  void on_login_failure(PoolPlan::Slot slot, const Error& error);
  void look_after_left_overs();
  void stop_counting_left_over(PoolPlan::Slot slot);
  void forget_left_over(PoolPlan::Slot slot);
  void repair(PoolPlan::Slot slot, uint32_t left_over_pid);
  void on_repaired(PoolPlan::Slot slot, uint32_t left_over_pid, const Result<bool>& outcome);
  net::Task<Result<std::shared_ptr<ServerConnection>>> log_in(PoolPlan::Slot slot);
  net::Task<> reset(PoolPlan::Slot slot, std::shared_ptr<ServerConnection> connection);
  net::Task<bool> try_reset(ServerConnection& connection);
  net::Task<> run_cancel(std::shared_ptr<ServerConnection> connection);
  net::Task<> wait_to_connect(MonotonicTime until);

  PoolContext& context_;
  std::string name_;
  SqlBackend backend_;
  CellKind kind_;
  std::vector<uint32_t> slot_numbers_;
  PoolPlan plan_;
  std::vector<std::shared_ptr<ServerConnection>> connections_;  // by slot
  std::vector<ServerLease*> reserved_;                          // by slot: who waits for its reset
  std::vector<TenantId> last_tenants_;                          // by slot: who used its role last
  std::vector<MonotonicTime> repaired_at_;             // by slot: max() while that is under way
  std::unordered_map<TenantNumber, LimitAsk> limits_;  // of tenants that wait or waited
  std::unordered_map<TenantNumber, LimitWait> limit_waits_;  // of those that other nodes keep off
  std::unordered_map<TenantNumber, ConcurrencyGate> held_;   // connections, by tenant
  // By slot: the server process of a connection that was closed while a statement ran. It counts as
  // a connection of the tenant that left it, or one that comes and goes would take all slots.
  struct LeftOver {
    uint32_t pid = 0;
    MonotonicTime since;
    LeaseUnits units{};
  };
  std::vector<LeftOver> left_overs_;
  LeaseUnits acquired_;                  // by may_serve, for the next step
  std::optional<ScramClientKeys> keys_;  // most slots share salt and password
  std::optional<Settings> greeting_;
  std::vector<std::unique_ptr<net::EventLink>> greeting_waiters_;
  PoolCounters counters_;
  uint32_t tasks_ = 0;
  bool is_closed_ = false;
  bool is_paused_ = false;
  bool is_waiting_to_connect_ = false;
  bool is_running_steps_ = false;
};

}  // namespace partywall::sql
