#include "http/door/proxied_exchange.h"

#include <utility>

#include "base/log.h"

namespace partywall::http {
namespace {

// Requests end sooner or later; how soon is not known.
constexpr Duration kRetryAfterOverload = seconds(1);

// Requests of routes without a tenant have one turn among the tenants.
constexpr TenantNumber kNoTenant(UINT32_MAX);

constexpr uint16_t kServerError = 500;

}  // namespace

ProxiedExchange::ProxiedExchange(WorkerState& state, ClientConnection& client,
                                 AdmittedRequest admitted)
    : state_(state),
      client_(client),
      record_(std::move(admitted.record)),
      units_(std::move(admitted.units)),
      group_(std::move(admitted.group)),
      request_(admitted.request),
      fsm_(admitted.request, state.settings.limits.exchange),
      pace_(state.settings.timeouts.body, state.settings.timeouts.body_bytes_per_second) {}

ResponseExtras ProxiedExchange::extras() {
  return {.fields = record_.text().extras, .date = state_.date.at(state_.loop.time().wall())};
}

bool ProxiedExchange::over() const {
  return fsm_.finished() || fsm_.failed() || client_broken_ || timed_out_ != TimedOut::kNothing;
}

net::Task<> ProxiedExchange::run() {
  state_.retries.earn(tenant());
  if (!co_await take_slot()) co_return;
  do {
    if (!choose_instance()) {
      answer(Problem::kNoInstance, "no healthy instance of the application is available now");
      co_return;
    }
    if (!upstream_ && !co_await connect()) continue;
    if (send_head()) co_await relay();
    judge_instance();
  } while (try_again());
  conclude();
}

// False: the request has been answered, or its client has gone.
net::Task<bool> ProxiedExchange::take_slot() {
  PoolSlots* const slots = group_->slots(state_.loop.now());
  // Without a healthy instance there is nothing to wait for.
  if (!slots || !group_->has_healthy()) co_return true;
  if (auto slot = slots->try_take()) {
    slot_ = std::move(*slot);
    co_return true;
  }
  co_return co_await wait_for_slot(*slots);
}

net::Task<bool> ProxiedExchange::wait_for_slot(PoolSlots& slots) {
  const MonotonicTime since = state_.loop.now();
  const Duration patience = state_.settings.queue.timeout - record_.queued();
  PoolSlots::Place place(slots, client_.wake);
  if (patience > Duration(0) &&
      slots.join(place, tenant(), record_.tenant ? record_.tenant->weight : 1)) {
    client_.deadline.arm(since + patience);
    watching_client_ = true;
    while (!place.has_turn() && !client_.deadline.fired()) {
      pump_client_watch();
      if (over()) break;
      if (!fsm_.wants_client_bytes() && client_.input.empty()) {
        client_.stream->arm_read(client_.wake);
      }
      client_.input.keep();
      co_await client_.wake.wait();
      if (state_.drain.must_close()) client_broken_ = true;
    }
    client_.deadline.disarm();
    record_.waited_since(since);
  }
  if (over()) {
    conclude();
    co_return false;
  }
  slot_ = place.take_slot();
  if (slot_.held()) co_return true;
  answer(Problem::kOverloaded,
         "the application has as many requests under way as it may; try again soon",
         kRetryAfterOverload);
  co_return false;
}

bool ProxiedExchange::choose_instance() {
  auto instance = group_->pick(state_.random, state_.loop.now(),
                               in_flight_.held() ? &in_flight_.instance() : nullptr);
  if (!instance) return false;
  in_flight_ = InFlightUnit(std::move(instance));
  record_.instance = in_flight_.instance().key().instance;
  ++record_.attempts;
  upstream_ = in_flight_.instance().take_idle(state_.loop.now(), state_.settings.limits.reuse);
  origin_ = upstream_ ? ConnectionOrigin::kReused : ConnectionOrigin::kNone;
  if (upstream_) state_.metrics.count(DoorCounter::kUpstreamReused);
  return true;
}

net::Task<bool> ProxiedExchange::connect() {
  client_.input.keep();
  auto connected = co_await state_.loop.connect(in_flight_.instance().endpoint(),
                                                state_.settings.timeouts.connect);
  if (!connected) {
    fsm_.on_upstream_broken();
    judge_instance();
    co_return false;
  }
  state_.metrics.count(DoorCounter::kUpstreamConnections);
  upstream_ = std::move(*connected);
  origin_ = ConnectionOrigin::kFresh;
  co_return true;
}

// The head, and as much of the body as is there already: one packet.
bool ProxiedExchange::send_head() {
  const std::string& head = record_.text().head;
  if (!fsm_.wants_client_bytes() || client_.input.empty()) {
    write_to_upstream(head);
  } else {
    std::string& out = state_.scratch_out;
    out.assign(head);
    const auto step = fsm_.on_client_bytes(client_.input.view(), out);
    out += step.direct;
    client_.input.consume(step.consumed);
    write_to_upstream(out);
  }
  upstream_->arm_read(client_.wake);
  return !fsm_.failed();
}

net::Task<> ProxiedExchange::relay() {
  while (true) {
    pump_request();
    pump_response();
    pump_client_watch();
    if (over()) break;
    arm();
    co_await client_.wake.wait();
    look_around();
  }
  client_.deadline.disarm();
}

void ProxiedExchange::write_to_upstream(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!to_upstream_.write(*upstream_, bytes)) {
    // What it has answered already may still be there to be read: an early refusal, say. The read
    // finds the end.
    to_upstream_.clear();
    write_ended_ = true;
  }
}

void ProxiedExchange::pump_request() {
  if (write_ended_) return;
  if (!to_upstream_.empty()) {
    if (!to_upstream_.flush(*upstream_)) {
      to_upstream_.clear();
      write_ended_ = true;
      return;
    }
    progress_ = true;
  }
  while (to_upstream_.empty() && !write_ended_ && fsm_.wants_client_bytes()) {
    if (client_.input.empty()) {
      if (client_.stream->awaits_input()) return;
      read_client();
      if (client_.input.empty()) return;
    }
    if (!forward_client_bytes()) break;
  }
  client_.input.keep();
}

void ProxiedExchange::read_client() {
  const net::IoResult read = client_.input.fill(*client_.stream, state_.loop.scratch());
  if (read.ok()) progress_ = true;
  if (!read.closed()) return;
  fsm_.on_client_end();
  if (fsm_.is_tunnel() && upstream_) {
    upstream_->shutdown_write();
    if (read.status == net::IoStatus::kError) client_broken_ = true;
  }
}

// False: no progress is possible with what is there.
bool ProxiedExchange::forward_client_bytes() {
  std::string& out = state_.scratch_out;
  out.clear();
  std::string_view direct;
  size_t consumed = 0;
  const std::string_view input = client_.input.view();
  while (direct.empty() && consumed < input.size()) {
    const auto step = fsm_.on_client_bytes(input.substr(consumed), out);
    consumed += step.consumed;
    direct = step.direct;
    if (step.consumed == 0) break;
  }
  if (!out.empty()) out += direct;
  write_to_upstream(out.empty() ? direct : std::string_view(out));
  client_.input.consume(consumed);
  pace_.took(consumed);
  return consumed > 0;
}

void ProxiedExchange::pump_response() {
  if (!client_.output.empty()) {
    if (!client_.output.flush(*client_.stream)) client_broken_ = true;
    progress_ = true;
  }
  while (client_.output.empty() && !client_broken_ && fsm_.wants_upstream_bytes()) {
    if (upstream_->awaits_input()) break;
    const net::IoResult read = from_upstream_.fill(*upstream_, state_.loop.scratch());
    if (read.would_block()) break;
    if (read.closed()) {
      end_upstream(read.status);
      break;
    }
    progress_ = true;
    forward_upstream_bytes();
  }
  from_upstream_.keep();
}

void ProxiedExchange::forward_upstream_bytes() {
  std::string& out = state_.scratch_out;
  out.clear();
  while (!from_upstream_.empty() && fsm_.wants_upstream_bytes()) {
    const auto step = fsm_.on_upstream_bytes(from_upstream_.view(), extras(), out);
    // The body goes behind what was written anew; large ones without being copied.
    if (!step.direct.empty()) {
      write_to_client(out, step.direct);
      out.clear();
    }
    from_upstream_.consume(step.consumed);
    if (step.consumed == 0) break;
  }
  write_to_client(out, {});
}

void ProxiedExchange::write_to_client(std::string_view owned, std::string_view direct) {
  if (client_broken_ || (owned.empty() && direct.empty())) return;
  constexpr size_t kMostCopied = 16 * 1024;
  bool written = true;
  if (owned.empty() || direct.empty()) {
    written = client_.output.write(*client_.stream, owned.empty() ? direct : owned);
  } else if (direct.size() <= kMostCopied) {
    std::string& out = state_.scratch_out;  // `owned` is a view of it
    out += direct;
    written = client_.output.write(*client_.stream, out);
  } else {
    written = client_.output.write(*client_.stream, owned) &&
              client_.output.write(*client_.stream, direct);
  }
  if (!written) client_broken_ = true;
}

void ProxiedExchange::end_upstream(net::IoStatus status) {
  if (status == net::IoStatus::kError) return fsm_.on_upstream_broken();
  std::string& out = state_.scratch_out;
  out.clear();
  fsm_.on_upstream_end(out);
  write_to_client(out, {});
  if (fsm_.is_tunnel()) client_.stream->shutdown_write();
}

// While the response is awaited, the client may go away: then nobody needs it. Bytes that come
// instead are the next request: they are kept, and no more is read.
void ProxiedExchange::pump_client_watch() {
  if (over() || fsm_.wants_client_bytes() || !watching_client_) return;
  if (!client_.input.empty() || client_.stream->awaits_input()) return;
  read_client();
  client_.input.keep();
}

void ProxiedExchange::arm() {
  const bool wants_client = fsm_.wants_client_bytes();
  if (wants_client ? to_upstream_.empty() && !write_ended_ : client_.input.empty()) {
    if (!fsm_.client_ended()) client_.stream->arm_read(client_.wake);
    watching_client_ = true;
  }
  if (!client_.output.empty()) {
    client_.stream->arm_write(client_.wake);
  } else if (fsm_.wants_upstream_bytes()) {
    upstream_->arm_read(client_.wake);
  }
  if (!to_upstream_.empty()) upstream_->arm_write(client_.wake);
  if (awaits_body()) {
    pace_.awaited(state_.loop.now());
  } else {
    pace_.not_awaited(state_.loop.now());
  }
  if (progress_) arm_deadline();
  progress_ = false;
}

bool ProxiedExchange::awaits_body() const {
  return fsm_.wants_client_bytes() && to_upstream_.empty() && client_.output.empty() &&
         !fsm_.is_tunnel() && !fsm_.head_written();
}

void ProxiedExchange::arm_deadline() {
  const DoorTimeouts& timeouts = state_.settings.timeouts;
  const Duration timeout = fsm_.is_tunnel()          ? timeouts.tunnel
                           : !client_.output.empty() ? timeouts.client_write
                           : fsm_.head_written()     ? timeouts.response_body
                           : awaits_body() ? std::min(timeouts.body, pace_.left(state_.loop.now()))
                                           : timeouts.response;
  client_.deadline.arm(state_.loop.now() + timeout);
}

void ProxiedExchange::look_around() {
  if (state_.drain.must_close()) client_broken_ = true;
  if (state_.drain.requested()) fsm_.close_after_response();
  if (!client_.deadline.fired()) return;
  if (fsm_.is_tunnel()) {
    timed_out_ = TimedOut::kTunnel;
  } else if (!client_.output.empty()) {
    timed_out_ = TimedOut::kClientWrite;
  } else if (awaits_body()) {
    timed_out_ = TimedOut::kClientBody;
  } else {
    timed_out_ = TimedOut::kUpstream;
  }
}

TenantNumber ProxiedExchange::tenant() const {
  return record_.tenant ? record_.tenant->number : kNoTenant;
}

void ProxiedExchange::judge_instance() {
  UpstreamInstance& instance = in_flight_.instance();
  const bool answered = fsm_.head_written();
  if (answered ? fsm_.status() >= kServerError : upstream_failed()) instance.count_failure();
  if (answered) return InstanceGroup::succeeded(instance);
  if (!upstream_failed()) return;
  const auto failure = origin_ == ConnectionOrigin::kNone ? OutlierRecord::Failure::kNoConnection
                                                          : OutlierRecord::Failure::kBrokenExchange;
  if (!group_->failed(instance, failure, tenant(), state_.loop.now())) return;
  state_.metrics.count(DoorCounter::kInstancesTakenOut);
  const InstanceKey& key = instance.key();
  log_warning("application instance is taken out for a while: its requests fail",
              {{"cell", key.cell}, {"pool", key.pool}, {"instance", key.instance}});
}

bool ProxiedExchange::upstream_failed() const {
  const bool closed = fsm_.failure() == ExchangeFailure::kUpstreamClosed;
  if (closed) return origin_ != ConnectionOrigin::kReused;
  return fsm_.failure() == ExchangeFailure::kUpstreamInvalid || timed_out_ == TimedOut::kUpstream;
}

bool ProxiedExchange::try_again() {
  if (fsm_.failure() != ExchangeFailure::kUpstreamClosed) return false;
  state_.metrics.count(DoorCounter::kUpstreamFailures);
  if (client_broken_ || record_.attempts >= state_.settings.limits.max_attempts) return false;
  if (!fsm_.may_send_again(origin_)) return false;
  if (!state_.retries.spend(tenant())) {
    state_.metrics.count(DoorCounter::kUpstreamRetriesRefused);
    return false;
  }
  state_.metrics.count(DoorCounter::kUpstreamRetries);
  fsm_.begin_again();
  upstream_.reset();
  from_upstream_.consume(from_upstream_.size());
  to_upstream_.clear();
  write_ended_ = false;
  progress_ = true;
  return true;
}

void ProxiedExchange::conclude() {
  if (fsm_.upstream_reusable(from_upstream_.size()) && to_upstream_.empty() && !write_ended_) {
    in_flight_.instance().park(std::move(upstream_), state_.loop.now(),
                               state_.settings.limits.reuse);
  }
  upstream_.reset();
  if (fsm_.finished() && !client_broken_) return record_.finish(fsm_.status());
  if (client_broken_ || fsm_.failure() == ExchangeFailure::kClientGone) {
    state_.metrics.count(DoorCounter::kClientAborts);
    must_cut_ = true;
    return record_.finish(fsm_.head_written() ? fsm_.status() : kClientClosedRequest);
  }
  switch (timed_out_) {
    case TimedOut::kClientBody:
      return answer(Problem::kRequestTimeout, "the body of the request did not arrive in time");
    case TimedOut::kUpstream:
      return answer(Problem::kUpstreamTimeout, "the application did not answer in time");
    case TimedOut::kClientWrite:
    case TimedOut::kTunnel:
      must_cut_ = true;
      return record_.finish(fsm_.status());
    case TimedOut::kNothing:
      break;
  }
  switch (fsm_.failure()) {
    case ExchangeFailure::kClientBodyInvalid:
      return answer(Problem::kBadRequest, fsm_.fault());
    case ExchangeFailure::kClientBodyTooLarge:
      return answer(Problem::kBodyTooLarge, "the body is larger than this service accepts");
    case ExchangeFailure::kUpstreamInvalid:
      return answer(Problem::kUpstreamFailed, fsm_.fault());
    default:
      return answer(Problem::kUpstreamFailed,
                    origin_ == ConnectionOrigin::kNone
                        ? "no connection to the application could be opened"
                        : "the application closed the connection before its answer was whole");
  }
}

void ProxiedExchange::answer(Problem problem, std::string_view detail,
                             std::optional<Duration> retry_after) {
  upstream_.reset();
  if (fsm_.head_written()) {
    must_cut_ = true;
    return record_.finish(fsm_.status());
  }
  const bool keep_alive = fsm_.request_complete() && !state_.drain.requested() &&
                          request_.persistence == Persistence::kKeepAlive;
  const bool written = record_.answer(
      {.problem = problem,
       .detail = detail,
       .retry_after = retry_after,
       .persistence = keep_alive ? Persistence::kKeepAlive : Persistence::kClose,
       .body = request_.method == MethodKind::kHead ? AnswerBody::kOmitted : AnswerBody::kSent});
  answered_keep_alive_ = keep_alive && written;
  record_.finish(describe(problem).status);
}

}  // namespace partywall::http
