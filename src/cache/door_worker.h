#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cache/load/server_watches.h"
#include "cache/session_fsm.h"
#include "cache/settings.h"
#include "cache/upstream_network.h"
#include "cache/user_healer.h"
#include "net/drain.h"
#include "net/loop.h"
#include "net/scope.h"

namespace partywall::cache {

// The door's part on one worker: its sessions, its connections to Redis, its counters. Everything
// but the counters belongs to the worker's thread.
class DoorWorker final : public UpstreamNetwork {
 public:
  struct Position {
    unsigned index = 0;  // of the worker
    unsigned count = 1;  // of all workers
  };
  // What all workers of the door share.
  struct Shared {
    ClientSeats& seats;
    ClientRegister& clients;
    ScriptRegister& scripts;
    SlowLog& slow_log;
    QuotaBook& quotas;
    LoadBook& loads;
    ScriptFlights& scripts_under_way;
    const SharedLimits* live_nodes = nullptr;  // nullptr: the node is alone
  };

  // `tls` is nullptr where clients speak plainly.
  DoorWorker(net::Loop& loop, const DoorSettings& settings, std::shared_ptr<LimitDesk> desk,
             const Shared& shared, UserHealer& healer, std::unique_ptr<net::TlsContext> tls,
             Position position);
  ~DoorWorker() override = default;

  // From another client; nothing where it has gone already.
  void order(uint64_t client, ClientOrder order, const std::string& key);
  // Serves a client from here on.
  void accept(std::unique_ptr<net::Stream> stream);
  void set_directory(DirectoryRef directory, IssuerVerifier issuers);
  // Begins what goes on by itself: closing idle connections.
  void start();

  // Lets every session finish what it has begun.
  void drain() { drain_.request(); }
  // Ends what is left, at once, and everything to Redis; stop() ends when nothing runs any more.
  net::Task<> stop();

  // --- UpstreamNetwork
  void open(std::shared_ptr<UpstreamIo> upstream, const Endpoint& endpoint,
            const std::optional<TlsClientSettings>& tls) override;

  // --- From any thread
  [[nodiscard]] uint32_t connections() const {
    return connections_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint32_t upstream_connections() const {
    return upstream_connections_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t refused_connections() const { return refused_connections_.value(); }
  [[nodiscard]] uint64_t takeovers() const { return takeovers_.value(); }
  [[nodiscard]] const Meters<CacheMeter>& meters() const { return meters_; }
  [[nodiscard]] uint64_t busy_servers() const { return watches_ ? watches_->busy_servers() : 0; }

 private:
  net::Task<> serve_client(std::unique_ptr<net::Stream> stream);
  net::Task<> run_upstream(std::shared_ptr<UpstreamIo> upstream, Endpoint endpoint,
                           Result<std::shared_ptr<net::TlsContext>> tls);
  net::Task<Result<std::unique_ptr<net::Stream>>> connect_upstream(
      Endpoint endpoint, std::shared_ptr<net::TlsContext> tls);
  Result<std::shared_ptr<net::TlsContext>> upstream_tls(
      const std::optional<TlsClientSettings>& settings);
  net::Task<> sweep_regularly();
  net::Task<> watch_routes();
  net::Task<> watch_servers();
  uint64_t next_session_id();

  net::Loop& loop_;
  const DoorSettings& settings_;
  std::unique_ptr<net::TlsContext> tls_;
  Position position_;
  Meters<CacheMeter> meters_;
  std::shared_ptr<LimitDesk> desk_;
  UpstreamRegistry registry_;
  // Made when first needed, anew after each change of the directory: so renewed certificates count.
  std::vector<std::pair<TlsClientSettings, std::shared_ptr<net::TlsContext>>> upstream_tls_;
  SystemRandom random_;
  SessionHost host_;
  std::optional<ServerWatches> watches_;  // on one worker for all
  std::unordered_set<SessionFsm*> sessions_;
  net::Drain drain_;           // of the clients' connections
  net::Drain upstream_drain_;  // of those to Redis, later
  net::TaskScope clients_;
  net::TaskScope upstreams_;
  uint64_t last_session_ = 0;
  std::atomic<uint32_t> connections_{0};
  std::atomic<uint32_t> upstream_connections_{0};
  Counter refused_connections_;
  Counter takeovers_;
};

}  // namespace partywall::cache
