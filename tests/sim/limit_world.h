#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "policy/lease_book.h"

// Nodes that share the limits of a tenant, and the store that they share them through, on a virtual
// clock: the real decisions (LimitDesk, LeaseBook, StoreReturn) and the models of the store's
// scripts, with a network that is late, loses connections and delivers what was sent on them
// afterwards. Seeded; the same seed gives the same run.
namespace partywall::test {

struct LimitWorldSettings {
  uint32_t seed = 1;
  uint32_t nodes = 4;
  RateLimit rate{1'000, minutes(1), 50};
  uint32_t slots = 20;
  double load = 2.0;  // requests per second, as a multiple of the rate; of all nodes together
  double skew = 0.0;  // share of the load that comes to the first node alone
  Duration mean_work = milliseconds(300);  // how long a request holds a slot
  double late_share = 0.0;                 // of messages that need up to a second
  Duration mean_between_breaks{};          // of a node's connection; 0: never
  Duration clock_skew = seconds(100);
  double clock_drift = 1e-4;  // how much faster or slower a node's clock may run
};

class LimitWorld {
 public:
  explicit LimitWorld(const LimitWorldSettings& settings);
  ~LimitWorld();

  void run_for(Duration time);

  void stop_store();
  enum class Memory : uint8_t { kKept, kLost };
  void start_store(Memory memory);
  // This node alone cannot reach the store.
  void cut_off(uint32_t node);
  void reconnect(uint32_t node);
  // Ends at once, with everything it does; a new life of it begins when it is started again.
  void crash(uint32_t node);
  void start(uint32_t node);

  struct Request {
    MonotonicTime at;
    uint32_t node;
  };
  // Requests in the order in which they came, and those that were admitted by the rate limit.
  [[nodiscard]] const std::vector<Request>& arrived() const { return arrived_; }
  [[nodiscard]] const std::vector<Request>& admitted() const { return admitted_; }
  [[nodiscard]] uint64_t refused() const { return refused_; }
  [[nodiscard]] uint64_t waiting() const { return waiting_; }
  [[nodiscard]] uint64_t store_calls() const { return store_calls_; }
  // Of slots: the most that were in use at once since the last call.
  uint32_t take_peak_in_use();
  [[nodiscard]] uint64_t slots_refused() const { return slots_refused_; }
  [[nodiscard]] const SharedLimits& shared(uint32_t node) const;
  [[nodiscard]] MonotonicTime now() const { return now_; }

 private:
  struct Node;
  struct Session;
  friend struct Session;

  void at(MonotonicTime when, std::function<void()> what);
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
  Duration delay();
  double uniform() { return std::uniform_real_distribution<>(0, 1)(random_); }
  Duration exponential(Duration mean);
  [[nodiscard]] int64_t store_now_us() const;

  void schedule_arrival();
  void arrive(uint32_t node);
  void pump(Node& node);
  void tick(Node& node);
  void connect(Node& node);
  void break_connection(Node& node);
  void send(Node& node, std::function<std::function<void()>()> at_store);
  bool try_rate(Session& session);
  bool try_slot(Session& session);
  void end_session(Session& session);

  LimitWorldSettings settings_;
  std::mt19937 random_;
  MonotonicTime now_{hours(1)};
  std::multimap<MonotonicTime, std::function<void()>> agenda_;
  std::vector<std::unique_ptr<Node>> nodes_;
  Tenant tenant_;

  bool store_up_ = true;
  RateLedger rate_ledger_;
  SlotLedger slot_ledger_;
  NodeLedger node_ledger_;

  std::vector<Request> arrived_;
  std::vector<Request> admitted_;
  uint64_t refused_ = 0;
  uint64_t slots_refused_ = 0;
  uint64_t waiting_ = 0;
  uint64_t store_calls_ = 0;
  uint32_t in_use_ = 0;
  uint32_t peak_in_use_ = 0;
  uint32_t lives_ = 0;
};

// The most requests by which the admitted ones ever exceed rate × t + burst, over all times t; 0 or
// less: they never do.
double most_above(const std::vector<LimitWorld::Request>& admitted, const RateLimit& limit);

// How many of these one limiter for all would have admitted.
size_t ideally_admitted(const std::vector<LimitWorld::Request>& arrived, const RateLimit& limit);

}  // namespace partywall::test
