#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/drain.h"
#include "net/loop.h"
#include "net/scope.h"
#include "policy/client_seats.h"
#include "policy/meters.h"
#include "sql/door/client_login.h"
#include "sql/door/client_registry.h"
#include "sql/door/settings.h"
#include "sql/door/sql_meter.h"
#include "sql/pool/cell_pool.h"
#include "sql/slots/slot_keeper.h"
#include "sql/slow/slow_log.h"

namespace partywall {
class LimitStore;
}

namespace partywall::sql {

inline constexpr size_t kMaxWorkers = 64;

// What all workers of the door share.
struct DoorShared {
  const DoorSettings& settings;
  TenantStates& tenants;
  ClientSeats& seats;  // of bound logins
  Random& random;      // thread-safe
  LimitStore* limits = nullptr;
  SlowLog* slow_log = nullptr;  // nullptr: slow statements are only counted
  std::vector<std::unique_ptr<class DoorWorker>>
      workers;  // by index; all are there before any starts
  // Bit i: worker i has sessions waiting whose tenants are at their limit; another worker that
  // gives a connection back wakes it.
  std::atomic<uint64_t> workers_with_waiting{0};
  // Hands a slot role over to be put right; any thread. Empty: nobody does that.
  std::function<void(SlotRepair)> repair_slot = {};
};

// The door's part on one worker: its sessions, its pools, its counters. All but the counters belong
// to the worker's thread.
class DoorWorker {
 public:
  // `index`: its place among the workers of `shared`.
  DoorWorker(net::Loop& loop, unsigned index, DoorShared& shared,
             std::unique_ptr<net::TlsContext> tls);
  ~DoorWorker();

  void start();
  void accept(std::unique_ptr<net::Stream> stream);
  void set_directory(DirectoryRef directory, std::shared_ptr<const JwtVerifier> jwt);
  void drain() { drain_.request(); }
  // Ends what is left; completes when nothing runs any more.
  net::Task<> stop();

  // --- For sessions.
  [[nodiscard]] net::Loop& loop() { return loop_; }
  [[nodiscard]] const DoorSettings& settings() const { return shared_.settings; }
  [[nodiscard]] net::Drain& drain_signal() { return drain_; }
  [[nodiscard]] Random& random() { return shared_.random; }
  [[nodiscard]] const DirectoryRef& directory() const { return directory_; }
  [[nodiscard]] LoginAuthority authority() const;
  [[nodiscard]] CellPool* find_pool(const std::string& cell);
  [[nodiscard]] PreparedStatementStore& statements() { return statements_; }
  [[nodiscard]] ClientRegistry& clients_here() { return clients_here_; }
  [[nodiscard]] Meters<SqlMeter>& meters() { return meters_; }
  // What the tenant has used of max_cpu_seconds, on all workers.
  [[nodiscard]] TimeBudget& time_of(TenantNumber tenant) {
    return shared_.tenants.of(tenant).sql_time;
  }
  void log_slow(const Tenant& tenant, SlowStatement statement);
  uint64_t next_serial() { return ++last_serial_; }
  std::optional<ConcurrencyUnits> take_migration_slot() {
    return migration_sessions_.try_acquire(settings().max_migration_sessions);
  }
  std::optional<ConcurrencyUnits> take_console_slot() {
    return console_sessions_.try_acquire(settings().max_console_sessions);
  }
  // Runs `what` on the thread of worker `index`; returns when it has. The index must be below
  // workers().
  net::Task<> visit(size_t index, std::function<void(DoorWorker&)> what);
  [[nodiscard]] size_t workers() const { return shared_.workers.size(); }
  [[nodiscard]] unsigned index() const { return index_; }
  // Runs beside the sessions; stop() waits for it.
  void spawn(net::Task<bool> task);
  void count_pinned(int change) {
    pinned_.fetch_add(static_cast<uint32_t>(change), std::memory_order_relaxed);
  }

  // --- For the console, on this worker's thread. An empty cell means all.
  void for_each_pool(const std::function<void(const std::string& cell, CellPool&)>& visit);
  void pause(const std::string& cell);
  void resume(const std::string& cell);
  void reconnect(const std::string& cell);
  // Sums over all workers; from any thread.
  [[nodiscard]] uint64_t used(TenantNumber tenant, SqlMeter meter) const;

  // --- From any thread.
  [[nodiscard]] uint32_t clients() const { return clients_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t pinned() const { return pinned_.load(std::memory_order_relaxed); }
  [[nodiscard]] const Meters<SqlMeter>& meters() const { return meters_; }
  struct Counters {
    Counter logins;
    Counter failed_logins;
    Counter refused_clients;
    Counter cancels;
    Counter slow_dropped;
  };
  [[nodiscard]] Counters& counters() { return counters_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  // Snapshots of the pools, renewed by the worker about once a second.
  struct PoolSample {
    std::string cell;
    CellPool::Gauges gauges;
    PoolCounters counters;
  };
  [[nodiscard]] std::vector<PoolSample> pool_samples() const;

 private:
  net::Task<> serve(std::unique_ptr<net::Stream> stream);
  net::Task<std::optional<AdmittedClient>> log_in(std::unique_ptr<net::Stream> stream);
  net::Task<> serve_admitted(AdmittedClient client);
  net::Task<> serve_counted(AdmittedClient client);
  net::Task<std::optional<Settings>> what_to_tell(Admission admission);
  net::Task<> route_cancel(CancelRequest key);
  net::Task<> tick_regularly();
  void hand_over(AdmittedClient client, DoorWorker& owner);
  [[nodiscard]] DoorWorker& owner_of(const Admission& admission);
  [[nodiscard]] const Tenant* bound_tenant(const Admission& admission) const;
  void update_pools();
  void wake_other_workers();
  void note_waiting();
  void repair_slot(const CellPool& pool, SlotRepair repair);
  void charge_what_ran_on(TenantId id, Duration ran);
  void sample_pools();

  net::Loop& loop_;
  unsigned index_;
  DoorShared& shared_;
  std::unique_ptr<net::TlsContext> tls_;
  DirectoryRef directory_;
  std::shared_ptr<const JwtVerifier> jwt_;
  PreparedStatementStore statements_;
  ClientRegistry clients_here_;
  Meters<SqlMeter> meters_;
  Counters counters_;
  net::Drain drain_;       // of the clients
  net::Drain pool_drain_;  // of what the pools do by themselves, later
  net::TaskScope sessions_;
  net::TaskScope pool_tasks_;
  std::shared_ptr<LimitDesk> desk_;
  PoolContext pool_context_;
  std::unordered_map<std::string, std::unique_ptr<CellPool>> pools_;  // by cell
  std::vector<std::unique_ptr<CellPool>> retired_pools_;              // of cells that have changed
  std::set<std::string> paused_cells_;
  uint64_t last_serial_ = 0;
  std::unordered_map<uint64_t, std::function<void(Result<bool>)>> repairs_;  // under way
  uint64_t last_repair_ = 0;
  ConcurrencyGate migration_sessions_;
  ConcurrencyGate console_sessions_;
  std::atomic<uint32_t> clients_{0};
  std::atomic<uint32_t> pinned_{0};
  mutable std::mutex samples_mutex_;
  std::vector<PoolSample> samples_;
};

}  // namespace partywall::sql
