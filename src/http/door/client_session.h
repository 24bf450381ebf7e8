#pragma once

#include <memory>

#include "http/door/client_connection.h"
#include "http/door/request_intake.h"
#include "http/door/worker_state.h"
#include "net/task.h"

namespace partywall::http {

// Serves one client connection: one request after the other until the client or the door has had
// enough. Pipelined requests wait their turn in the input.
class ClientSession {
 public:
  ClientSession(WorkerState& state, std::unique_ptr<net::Stream> stream, ClientOrigin origin);
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // Ends when the connection shall be closed.
  net::Task<> run();

 private:
  enum class Found : uint8_t { kNothing, kRequest, kInvalid, kEnd };
  enum class Waiting : uint8_t { kIdle, kForHead };
  // How the connection ends: at once, or by letting the client read its last answer.
  enum class End : uint8_t { kNotYet, kClose, kLinger };

  Found find_request();
  Found parse_more();
  void drop_refused_body();
  net::Task<> wait_for_input();
  net::Task<> serve();
  net::Task<> carry(AdmittedRequest admitted);
  net::Task<> wait_for_limit(LimitAsk limit);
  net::Task<> wait_in_line(LimitAsk ask);
  bool client_stays(size_t input_before);
  void end_turn();
  void close_after(const IntakeOutcome& answered);
  net::Task<> flush();
  net::Task<> linger();

  WorkerState& state_;
  ClientConnection client_;
  Waiting waiting_ = Waiting::kIdle;
  End end_ = End::kNotYet;
  Fault fault_;
  RequestTurn turn_;                 // of the request that is being decided
  size_t head_bytes_seen_ = 0;       // of an incomplete head, without another line's end
  uint64_t refused_body_bytes_ = 0;  // still to come of a request that was refused
};

}  // namespace partywall::http
