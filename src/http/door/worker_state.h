#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "http/admission/tenant_lines.h"
#include "http/door/access_log.h"
#include "http/door/date_line.h"
#include "http/door/door_metrics.h"
#include "http/door/request_gate.h"
#include "http/door/settings.h"
#include "http/door/worker_snapshot.h"
#include "http/message/head.h"
#include "http/upstream/retry_budget.h"
#include "http/upstream/worker_pools.h"
#include "net/drain.h"
#include "net/loop.h"

namespace partywall::http {

// The texts of one request that outlive the bytes they were made from.
struct RequestText {
  std::string id;      // X-Request-Id
  std::string head;    // what the application gets; kept, because it may have to be sent again
  std::string extras;  // lines added to the response
  std::string log;     // the line of the access log, begun

  void clear();
};

// Keeps the memory of texts from one request to the next.
class RequestTexts {
 public:
  std::unique_ptr<RequestText> take();
  void give_back(std::unique_ptr<RequestText> text);

 private:
  std::vector<std::unique_ptr<RequestText>> spare_;
};

inline PoolBounds bounds_of_pools(const QueueSettings& queue) {
  return {.max_requests_per_instance = queue.max_requests_per_instance,
          .queue = {.max_waiting_per_tenant = queue.limits.max_waiting_per_tenant,
                    .max_waiting = queue.limits.max_waiting}};
}

// What the sessions of one worker share. All of it belongs to the worker's thread, so nothing is
// locked; what is called scratch holds only until the next wait.
struct WorkerState {
  WorkerState(net::Loop& its_loop, const DoorSettings& its_settings,
              std::shared_ptr<LimitDesk> its_desk, std::shared_ptr<TurnBoard> board,
              HealthRegistry& health, LineLog& access_log, uint64_t seed)
      : loop(its_loop),
        settings(its_settings),
        desk(std::move(its_desk)),
        lines(loop, *desk, std::move(board), settings.queue.limits),
        gate(*desk, lines),
        pools(health, bounds_of_pools(settings.queue), settings.balance),
        log(access_log),
        random(seed) {}

  net::Loop& loop;
  const DoorSettings& settings;
  std::shared_ptr<LimitDesk> desk;
  TenantLines lines;
  RequestGate gate;
  WorkerPools pools;
  RetryBudgets retries;
  WorkerMetrics metrics;
  AccessLog log;
  SeededRandom random;  // request ids and balancing: unique, never secret
  DateLine date;
  net::Drain drain;
  RequestTexts texts;
  std::shared_ptr<const WorkerSnapshot> snapshot;

  RequestHead scratch_head;
  std::string scratch_path;
  std::string scratch_out;
};

}  // namespace partywall::http
