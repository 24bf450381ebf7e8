#include "http/door/client_session.h"

#include <algorithm>
#include <utility>

namespace partywall::http {
namespace {

// What a client may still send after its last answer, before its connection is cut.
constexpr uint64_t kMostLingeringBytes = 1024 * 1024;

class WakingWaiter final : public LimitWaiter {
 public:
  explicit WakingWaiter(net::Event& event) : event_(event) {}
  void limit_answered() override { event_.set(); }

 private:
  net::Event& event_;
};

}  // namespace

ClientSession::ClientSession(WorkerState& state, std::unique_ptr<net::Stream> stream,
                             ClientOrigin origin)
    : state_(state), client_(state.loop, std::move(stream), std::move(origin)) {}

net::Task<> ClientSession::run() {
  const net::Drain::Watch watch(state_.drain, client_.wake);
  while (end_ == End::kNotYet) {
    switch (find_request()) {
      case Found::kNothing:
        co_await wait_for_input();
        break;
      case Found::kRequest:
        co_await serve();
        break;
      case Found::kInvalid:
        close_after(RequestIntake(state_, client_, turn_).refuse_unreadable(fault_));
        break;
      case Found::kEnd:
        end_ = End::kClose;
        break;
    }
  }
  end_turn();
  if (end_ == End::kLinger) co_await linger();
  client_.stream->close();
}

ClientSession::Found ClientSession::find_request() {
  while (true) {
    drop_refused_body();
    if (!client_.input.empty()) {
      if (const Found found = parse_more(); found != Found::kNothing) return found;
    }
    if (client_.stream->awaits_input()) return Found::kNothing;
    const net::IoResult read = client_.input.fill(*client_.stream, state_.loop.scratch());
    if (read.would_block()) return Found::kNothing;
    if (read.closed()) return Found::kEnd;
  }
}

void ClientSession::drop_refused_body() {
  const auto count =
      static_cast<size_t>(std::min<uint64_t>(refused_body_bytes_, client_.input.size()));
  client_.input.consume(count);
  refused_body_bytes_ -= count;
}

// Parsing from the start again is worth it only when another line has ended.
ClientSession::Found ClientSession::parse_more() {
  const std::string_view input = client_.input.view();
  const HeadLimits& limits = state_.settings.limits.head;
  if (head_bytes_seen_ > 0 && input.size() <= limits.max_bytes &&
      !input.substr(head_bytes_seen_).contains('\n')) {
    head_bytes_seen_ = input.size();
    return Found::kNothing;
  }
  const ParseOutcome parsed = parse_request_head(input, limits, state_.scratch_head);
  head_bytes_seen_ = 0;
  if (parsed.status == ParseStatus::kComplete) return Found::kRequest;
  if (parsed.status == ParseStatus::kInvalid) {
    fault_ = parsed.fault;
    return Found::kInvalid;
  }
  head_bytes_seen_ = input.size();
  return Found::kNothing;
}

net::Task<> ClientSession::wait_for_input() {
  client_.input.keep();
  const Waiting waiting = client_.input.empty() ? Waiting::kIdle : Waiting::kForHead;
  if (waiting == Waiting::kIdle && state_.drain.requested()) {
    end_ = End::kClose;
    co_return;
  }
  // The time for a head begins with its first byte and is not prolonged by the next ones.
  if (!client_.deadline.armed() || waiting != waiting_) {
    const DoorTimeouts& timeouts = state_.settings.timeouts;
    client_.deadline.arm(state_.loop.now() +
                         (waiting == Waiting::kIdle ? timeouts.idle : timeouts.head));
  }
  waiting_ = waiting;
  if (waiting == Waiting::kIdle) {
    client_.input.release();
    client_.output.release();
  }
  client_.stream->arm_read(client_.wake);
  co_await client_.wake.wait();
  if (state_.drain.must_close()) {
    end_ = End::kClose;
  } else if (client_.deadline.fired() && waiting == Waiting::kIdle) {
    end_ = End::kClose;
  } else if (client_.deadline.fired()) {
    close_after(RequestIntake(state_, client_, turn_)
                    .refuse_unreadable({408, "the head of the request did not arrive in time"}));
  }
}

void ClientSession::close_after(const IntakeOutcome& answered) {
  end_ = answered.broken ? End::kClose : End::kLinger;
}

net::Task<> ClientSession::serve() {
  client_.deadline.disarm();
  IntakeOutcome outcome = RequestIntake(state_, client_, turn_).take(state_.scratch_head);
  if (outcome.waits_for) co_return co_await wait_for_limit(*outcome.waits_for);
  if (outcome.waits_in_line) co_return co_await wait_in_line(*outcome.waits_in_line);
  if (outcome.admitted) {
    co_await carry(std::move(*outcome.admitted));
  } else if (outcome.broken || outcome.persistence == Persistence::kClose) {
    close_after(outcome);
  } else {
    refused_body_bytes_ = outcome.unread_body_bytes;
  }
  end_turn();
  if (end_ != End::kClose && !client_.output.empty()) co_await flush();
}

net::Task<> ClientSession::carry(AdmittedRequest admitted) {
  ProxiedExchange exchange(state_, client_, std::move(admitted));
  co_await exchange.run();
  if (exchange.must_cut()) {
    end_ = End::kClose;
  } else if (!exchange.client_reusable()) {
    end_ = End::kLinger;
  }
}

// The tenant's next request may go, here or on another worker.
void ClientSession::end_turn() {
  turn_.units.release();
  state_.lines.freed(turn_.tenant);
  turn_ = {};
}

// The request is still in the input, and is found again afterwards.
net::Task<> ClientSession::wait_for_limit(LimitAsk limit) {
  client_.input.keep();
  WakingWaiter waiter(client_.wake);
  state_.desk->wait(limit, waiter);
  co_await client_.wake.wait();
  if (state_.drain.must_close()) end_ = End::kClose;
}

// Likewise. While it waits its client may go away: then nobody needs the answer, and the next in
// line need not wait for it.
net::Task<> ClientSession::wait_in_line(LimitAsk ask) {
  client_.input.keep();
  turn_.tenant = ask.number;
  turn_.tenant_id = ask.id;
  if (!turn_.since) turn_.since = state_.loop.now();
  TenantLines::Place place(state_.lines, client_.wake);
  if (!state_.lines.join(place, ask)) {
    turn_.patience = RequestTurn::Patience::kOver;
    co_return;
  }
  client_.deadline.arm(*turn_.since + state_.settings.queue.timeout);
  const size_t input_before = client_.input.size();
  while (!place.has_turn()) {
    if (!client_stays(input_before)) {
      turn_.patience = RequestTurn::Patience::kClientGone;
      break;
    }
    co_await client_.wake.wait();
    if (state_.drain.must_close()) end_ = End::kClose;
    if (end_ != End::kNotYet) break;
    if (client_.deadline.fired() && !place.has_turn()) {
      turn_.patience = RequestTurn::Patience::kOver;
      break;
    }
  }
  client_.deadline.disarm();
  turn_.units = place.take_units();
}

// Bytes that come are the request's body or the next one: they are kept, and no more is read.
bool ClientSession::client_stays(size_t input_before) {
  if (client_.input.size() > input_before) return true;
  if (!client_.stream->awaits_input()) {
    const net::IoResult read = client_.input.fill(*client_.stream, state_.loop.scratch());
    client_.input.keep();
    if (read.closed()) return false;
  }
  if (client_.input.size() == input_before) client_.stream->arm_read(client_.wake);
  return true;
}

// The whole answer, before the next request is looked at: so what a client does not read is
// bounded.
net::Task<> ClientSession::flush() {
  client_.input.keep();
  while (!client_.output.empty()) {
    client_.deadline.arm(state_.loop.now() + state_.settings.timeouts.client_write);
    client_.stream->arm_write(client_.wake);
    co_await client_.wake.wait();
    const bool given_up = client_.deadline.fired() || state_.drain.must_close();
    if (given_up || !client_.output.flush(*client_.stream)) {
      end_ = End::kClose;
      break;
    }
  }
  client_.deadline.disarm();
}

// RFC 9112 section 9.6: a connection that is closed while the client still sends would be reset,
// and the reset may destroy the answer before the client has read it.
net::Task<> ClientSession::linger() {
  if (!client_.output.empty()) co_await flush();
  client_.stream->shutdown_write();
  client_.deadline.arm(state_.loop.now() + state_.settings.timeouts.linger);
  uint64_t dropped = client_.input.size();
  client_.input.consume(client_.input.size());
  while (dropped < kMostLingeringBytes) {
    const net::IoResult read = client_.input.fill(*client_.stream, state_.loop.scratch());
    if (read.closed()) co_return;
    dropped += client_.input.size();
    client_.input.consume(client_.input.size());
    if (!read.would_block()) continue;
    client_.stream->arm_read(client_.wake);
    co_await client_.wake.wait();
    if (client_.deadline.fired() || state_.drain.must_close()) co_return;
  }
}

}  // namespace partywall::http
