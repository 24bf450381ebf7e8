#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <utility>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// A script or function that was sent to a server and is not answered yet.
struct ScriptFlight {
  Endpoint server;
  TenantId tenant;
  Duration limit{};  // how long it may run
  MonotonicTime since{};
};

// Those of all workers. Redis does not say whose script it is busy with; but once it is busy, it
// answers all others at once, so what is still not answered is the one that runs. From any thread.
class ScriptFlights {
 public:
  ScriptFlights() = default;
  ScriptFlights(const ScriptFlights&) = delete;
  ScriptFlights& operator=(const ScriptFlights&) = delete;

 private:
  enum class Waiter : uint8_t { kThere, kGone, kGoneForLonger };
  struct Entry {
    ScriptFlight flight;
    Waiter waiter = Waiter::kThere;
  };
  using Place = std::list<Entry>::iterator;

 public:
  // Whoever waits for the answer has it. Given up without landed(), the script may still run.
  class [[nodiscard]] Units {
   public:
    Units(Units&& other) noexcept
        : flights_(std::exchange(other.flights_, nullptr)), place_(other.place_) {}
    Units& operator=(Units&& other) noexcept {
      std::swap(flights_, other.flights_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~Units() {
      if (flights_ != nullptr) flights_->left_alone(place_);
    }
    void landed() {
      if (flights_ != nullptr) std::exchange(flights_, nullptr)->remove(place_);
    }

   private:
    friend class ScriptFlights;
    Units(ScriptFlights* flights, Place place) : flights_(flights), place_(place) {}
    ScriptFlights* flights_;
    Place place_;
  };

  Units begin(ScriptFlight flight);
  // At the server since `before` or longer.
  [[nodiscard]] std::vector<ScriptFlight> at(const Endpoint& server, MonotonicTime before) const;
  // The server has answered something else, so no script runs there: what nobody waits for any more
  // has ended (it may have begun after the question, so it is forgotten at the second time).
  void server_is_idle(const Endpoint& server);

 private:
  // More are forgotten, the oldest first.
  static constexpr size_t kMostLeftAlone = 1'000;

  void remove(Place place);
  void left_alone(Place place);

  mutable std::mutex mutex_;
  std::list<Entry> entries_;
  std::list<Entry> left_alone_;
};

}  // namespace partywall::cache
