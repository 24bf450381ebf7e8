#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/drain.h"
#include "net/scope.h"
#include "sql/fake_postgres.h"
#include "support/simulated_loop.h"

namespace partywall::sql::testing {

// A PostgreSQL on the simulated network: a FakePostgres for each connection, start-up and cancel
// requests included. Every role may log in without a password.
class SimulatedPostgres {
 public:
  SimulatedPostgres(test::SimulatedLoop& loop, Endpoint endpoint);
  ~SimulatedPostgres();

  // Ends when all its connections have; close the door's ends first.
  net::Task<> stop();

  [[nodiscard]] size_t connections() const { return connections_; }
  [[nodiscard]] uint64_t logins() const { return logins_; }
  [[nodiscard]] uint64_t cancels() const { return cancels_; }
  // The highest number of connections of one role at the same time.
  [[nodiscard]] size_t most_of_a_role() const { return most_of_a_role_; }
  // All sleeping statements end well.
  void wake_up();
  // Works on, but its answers stay where they are while it is silent.
  void set_silent(bool silent);
  bool refuses_logins = false;
  std::set<std::string> roles_with_another_password;
  bool ignores_cancels = false;
  // So long a cancel takes from its arrival to its effect and the end of its connection.
  Duration cancel_delay{};

 private:
  struct Backend {
    FakePostgres postgres;
    net::Event* wake = nullptr;
    std::string role;
    bool is_cancelled = false;
    bool is_woken = false;
  };
  net::Task<> serve(std::unique_ptr<net::Stream> stream);
  net::Task<> cancel(std::unique_ptr<net::Stream> stream, uint32_t pid);
  net::Task<> talk(net::Stream& stream, Backend& backend, std::string unread);

  test::SimulatedLoop& loop_;
  net::TaskScope scope_;
  net::Drain drain_;
  std::map<uint32_t, Backend*> backends_;
  std::map<std::string, size_t> roles_;
  bool is_silent_ = false;
  uint32_t last_pid_ = 100;
  size_t connections_ = 0;
  size_t most_of_a_role_ = 0;
  uint64_t logins_ = 0;
  uint64_t cancels_ = 0;
};

}  // namespace partywall::sql::testing
