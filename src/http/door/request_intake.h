#pragma once

#include <cstdint>
#include <optional>

#include "http/door/client_connection.h"
#include "http/door/proxied_exchange.h"
#include "http/door/request_record.h"
#include "http/door/worker_state.h"
#include "http/message/framing.h"
#include "http/message/target.h"

namespace partywall::http {

// What became of a request: it goes on, or it was answered, or it could not be decided yet.
struct IntakeOutcome {
  std::optional<AdmittedRequest> admitted;
  // Its head is still in the input, to be taken again:
  std::optional<LimitAsk> waits_for;      // when the limits store has answered
  std::optional<LimitAsk> waits_in_line;  // when its turn has come
  // Answered:
  Persistence persistence = Persistence::kClose;
  uint64_t unread_body_bytes = 0;  // to be dropped before the next request
  bool broken = false;             // the answer could not be written
};

// Takes a request from its head to the decision: understands target and framing, asks the gate,
// and writes the head that the application will get; or answers with a problem. It never waits, and
// works on views into the client's input.
class RequestIntake {
 public:
  RequestIntake(WorkerState& state, ClientConnection& client, RequestTurn& turn)
      : state_(state), client_(client), turn_(turn) {}

  // `head` has been parsed from the front of the client's input, and is consumed once it is
  // decided.
  IntakeOutcome take(const RequestHead& head);
  // The client sent what is no request, or not all of it in time.
  IntakeOutcome refuse_unreadable(const Fault& fault);

 private:
  struct Request {
    const RequestHead& head;
    RequestRecord record;
    Uuid id;
    Target target;
    RequestControl control;
  };

  RequestRecord make_record(const Uuid& id);
  std::optional<Fault> understand(Request& request);
  IntakeOutcome decide(Request& request);
  std::expected<Admission, Refusal> ask_gate(const Request& request);
  IntakeOutcome write_down_abandoned(Request& request);
  [[nodiscard]] bool may_wait(const Refusal& refusal) const;
  IntakeOutcome go_on(Request& request, Admission admission);
  Result<> write_application_head(Request& request, const Admission& admission);
  IntakeOutcome refuse(Request& request, const Refusal& refusal);
  [[nodiscard]] bool may_keep_alive(const RequestControl& control) const;

  WorkerState& state_;
  ClientConnection& client_;
  RequestTurn& turn_;
};

}  // namespace partywall::http
