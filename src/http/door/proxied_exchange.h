#pragma once

#include <memory>

#include "http/door/body_pace.h"
#include "http/door/client_connection.h"
#include "http/door/request_record.h"
#include "http/door/worker_state.h"
#include "http/proxy/exchange_fsm.h"
#include "http/upstream/instance_group.h"
#include "net/task.h"

namespace partywall::http {

// An admitted request and what it holds.
struct AdmittedRequest {
  RequestRecord record;  // with the head for the application
  ConcurrencyUnits units;
  std::shared_ptr<InstanceGroup> group;
  ExchangeRequest request;
};

// Carries one admitted request to an instance and its response back: chooses the instance, takes or
// opens a connection, moves the bytes both ways as fast as the slower side takes them, and tries
// another instance where that is safe. What the bytes mean is decided by ExchangeFsm.
class ProxiedExchange {
 public:
  ProxiedExchange(WorkerState& state, ClientConnection& client, AdmittedRequest admitted);

  net::Task<> run();

  // After run(): may the client's connection carry another request?
  [[nodiscard]] bool client_reusable() const {
    return fsm_.client_reusable() || answered_keep_alive_;
  }
  // The connection has to be cut, so that the client sees that its response is not whole.
  [[nodiscard]] bool must_cut() const { return must_cut_; }

 private:
  enum class TimedOut : uint8_t { kNothing, kClientBody, kClientWrite, kUpstream, kTunnel };

  net::Task<bool> take_slot();
  net::Task<bool> wait_for_slot(PoolSlots& slots);
  net::Task<bool> connect();
  bool choose_instance();
  bool send_head();
  net::Task<> relay();
  void pump_request();
  void pump_response();
  void pump_client_watch();
  void read_client();
  bool forward_client_bytes();
  void forward_upstream_bytes();
  void write_to_upstream(std::string_view bytes);
  void write_to_client(std::string_view owned, std::string_view direct);
  void end_upstream(net::IoStatus status);
  void arm();
  // It is the client's turn to send.
  [[nodiscard]] bool awaits_body() const;
  void arm_deadline();
  void look_around();
  [[nodiscard]] bool over() const;
  [[nodiscard]] bool try_again();
  [[nodiscard]] TenantNumber tenant() const;
  // What this attempt says about its instance.
  void judge_instance();
  // The instance is to blame. A connection that had served before and was closed says nothing: that
  // is the usual race between a request and a keep-alive time-out.
  [[nodiscard]] bool upstream_failed() const;
  void conclude();
  void answer(Problem problem, std::string_view detail,
              std::optional<Duration> retry_after = std::nullopt);
  [[nodiscard]] ResponseExtras extras();

  WorkerState& state_;
  ClientConnection& client_;
  RequestRecord record_;
  ConcurrencyUnits units_;
  std::shared_ptr<InstanceGroup> group_;
  PoolSlot slot_;  // where the pool's requests are bounded
  ExchangeRequest request_;
  ExchangeFsm fsm_;

  InFlightUnit in_flight_;
  ConnectionOrigin origin_ = ConnectionOrigin::kNone;
  std::unique_ptr<net::Stream> upstream_;
  InputBuffer from_upstream_;
  OutputBuffer to_upstream_;
  bool client_broken_ = false;
  bool watching_client_ = false;
  bool progress_ = true;  // since the deadline was set
  bool write_ended_ = false;
  bool must_cut_ = false;
  bool answered_keep_alive_ = false;
  TimedOut timed_out_ = TimedOut::kNothing;
  BodyPace pace_;
};

}  // namespace partywall::http
