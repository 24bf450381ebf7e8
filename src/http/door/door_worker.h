#pragma once

#include <memory>

#include "http/door/worker_state.h"
#include "http/upstream/pool_load_board.h"
#include "net/scope.h"
#include "net/tls.h"

namespace partywall::http {

// The door on one worker: its sessions and what they share. All but the metrics belongs to the
// worker's thread. It knows only a net::Loop, so it runs in simulations too.
class DoorWorker {
 public:
  struct Parts {
    const DoorSettings& settings;
    std::shared_ptr<LimitDesk> desk;                                   // for this worker's thread
    std::shared_ptr<TurnBoard> board = std::make_shared<TurnBoard>();  // of all workers
    HealthRegistry& health;
    std::shared_ptr<PoolLoadBoard> loads = std::make_shared<PoolLoadBoard>(1);
    size_t index = 0;  // of this worker on that board
    LineLog& access_log;
    uint64_t random_seed = 0;
    std::unique_ptr<net::TlsContext> tls;  // nullptr: plain connections
  };

  // Serves nobody before its first update().
  DoorWorker(net::Loop& loop, Parts parts);
  ~DoorWorker();  // after stop()
  DoorWorker(const DoorWorker&) = delete;
  DoorWorker& operator=(const DoorWorker&) = delete;

  void update(std::shared_ptr<const DoorDirectory> directory);
  void accept(std::unique_ptr<net::Stream> stream);

  // Sessions take no new request and end.
  void begin_drain() { state_.drain.request(); }
  // Sessions end now.
  void close_all() { state_.drain.request_close(); }
  // Ends when no session runs any more and the housekeeping has ended.
  net::Task<> stop();

  [[nodiscard]] const WorkerMetrics& metrics() const { return state_.metrics; }
  [[nodiscard]] size_t sessions() const { return sessions_.running(); }
  [[nodiscard]] WorkerPools& pools() { return state_.pools; }

 private:
  net::Task<> serve(std::unique_ptr<net::Stream> stream);
  net::Task<> keep_house();

  WorkerState state_;
  std::unique_ptr<net::TlsContext> tls_;
  std::shared_ptr<PoolLoadBoard> loads_;
  size_t index_;
  bool stopping_ = false;
  net::Event house_wake_;
  net::TaskScope sessions_;
  net::TaskScope house_;
};

}  // namespace partywall::http
