#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/door/door_directory.h"
#include "http/door/door_worker.h"
#include "http/message/body_reader.h"
#include "identity/dev_issuer.h"
#include "support/simulated_loop.h"

namespace partywall::http::test {

using partywall::test::SimulatedLoop;

// One end of a connection that a test reads and writes by hand.
struct ByHand {
  std::unique_ptr<net::Stream> stream;
  std::string received;
  bool ended = false;   // the other end has sent its last byte
  bool broken = false;  // the other end has gone

  // Reads what is there; true if that was anything.
  bool poll();
  void send(std::string_view bytes);  // all of it; the window must hold it
  std::string take() { return std::exchange(received, {}); }
};

// A request as an application got it.
struct SeenRequest {
  std::string line;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  // The value of the only field of this name (exact spelling); "(none)", "(many)".
  [[nodiscard]] std::string field(std::string_view name) const;
};

// An application instance in memory. It answers each whole request with what `answer` says; with
// none set, the test answers by hand.
class FakeApplication {
 public:
  FakeApplication(SimulatedLoop& loop, Endpoint endpoint);

  std::function<std::string(const SeenRequest&)> answer;
  std::deque<ByHand> connections;
  std::vector<SeenRequest> requests;
  bool close_after_answer = false;

  bool poll();
  void stop_listening();
  void listen();

 private:
  bool take_request(ByHand& connection);

  SimulatedLoop& loop_;
  Endpoint endpoint_;
};

// The door on one simulated worker, with two tenants, acme (free) and globex (enterprise), and two
// application instances.
class DoorFixture : public testing::Test {
 protected:
  DoorFixture();
  ~DoorFixture() override;

  // Builds the directory again from `data` and gives it to the door.
  void publish();
  void set_health(Health health);
  std::string token(std::string_view tenant);
  // "Authorization: Bearer …\r\n"
  std::string bearer(std::string_view tenant) {
    return "Authorization: Bearer " + token(tenant) + "\r\n";
  }
  std::string get(std::string_view path, std::string_view tenant, std::string_view fields = {});

  ByHand& connect();
  // Runs the door, the applications and the clients until nothing moves.
  void settle();
  void advance(Duration by);
  // Sends on a new connection and gives all that came back.
  std::string exchange(const std::string& bytes);
  std::string last_log_line();

  SimulatedLoop loop;
  DoorSettings settings;
  DirectoryData data;
  TenantNumbers numbers;
  TenantStates states;
  // The node is alone, unless a test says otherwise.
  std::function<std::shared_ptr<LimitDesk>()> make_desk = [this] {
    return std::make_shared<LimitDesk>(states);
  };
  HealthRegistry health;
  DevIssuer issuer = DevIssuer::generate("test", "door");
  std::unique_ptr<LineLog> log;
  FakeApplication app1{loop, {"10.1.0.1", 80}};
  FakeApplication app2{loop, {"10.1.0.2", 80}};
  std::unique_ptr<DoorWorker> door;
  std::deque<ByHand> clients;

  // After settings were changed.
  void restart_door();

 private:
  void stop_door();

  DoorDirectories directories_;
  std::vector<std::shared_ptr<InstanceHealth>> instance_health_;
};

}  // namespace partywall::http::test
