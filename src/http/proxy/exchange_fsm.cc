#include "http/proxy/exchange_fsm.h"

#include "http/proxy/upstream_request.h"

namespace partywall::http {
namespace {

// The response heads of a thread are parsed one at a time: their fields share the memory.
ResponseHead& reusable_head() {
  thread_local ResponseHead head;
  return head;
}

std::string_view method_for_framing(MethodKind kind) {
  return kind == MethodKind::kHead ? "HEAD" : "GET";
}

}  // namespace

MethodKind method_kind(std::string_view method) {
  if (method == "GET" || method == "OPTIONS") return MethodKind::kSafe;
  if (method == "HEAD") return MethodKind::kHead;
  if (method == "PUT" || method == "DELETE") return MethodKind::kIdempotent;
  return MethodKind::kOther;
}

ExchangeFsm::ExchangeFsm(const ExchangeRequest& request, const ExchangeLimits& limits)
    : request_(request), limits_(limits), request_body_(request.framing) {}

void ExchangeFsm::fail(ExchangeFailure failure, std::string_view fault) {
  if (failed()) return;
  failure_ = failure;
  fault_ = fault;
}

bool ExchangeFsm::wants_client_bytes() const {
  if (failed() || phase_ == Phase::kComplete || client_ended_) return false;
  return phase_ == Phase::kTunnel || !request_body_.complete();
}

bool ExchangeFsm::wants_upstream_bytes() const {
  return !failed() && phase_ != Phase::kComplete && !upstream_ended_;
}

bool ExchangeFsm::finished() const {
  if (phase_ == Phase::kTunnel) return client_ended_ && upstream_ended_;
  return phase_ == Phase::kComplete;
}

ExchangeFsm::Step ExchangeFsm::on_client_bytes(std::string_view bytes, std::string& out) {
  if (phase_ == Phase::kTunnel) {
    request_body_bytes_ += bytes.size();
    return {bytes.size(), bytes};
  }
  if (!wants_client_bytes() || bytes.empty()) return {};
  const BodyStep step = request_body_.read(bytes);
  if (step.status == ParseStatus::kInvalid) {
    fail(ExchangeFailure::kClientBodyInvalid, step.fault);
    return {};
  }
  request_begun_ = true;
  request_body_bytes_ += step.data.size();
  if (request_body_bytes_ > limits_.max_request_body_bytes) {
    fail(ExchangeFailure::kClientBodyTooLarge);
    return {};
  }
  if (request_body_.kind() != FramingKind::kChunked) return {step.consumed, step.data};
  append_chunk(out, step.data);
  if (step.status == ParseStatus::kComplete) {
    std::string trailers;
    append_plain_trailers(trailers, request_body_.trailers());
    append_last_chunk(out, trailers);
  }
  return {step.consumed, {}};
}

void ExchangeFsm::on_client_end() {
  if (client_ended_) return;
  client_ended_ = true;
  if (phase_ == Phase::kTunnel || phase_ == Phase::kComplete) return;
  fail(ExchangeFailure::kClientGone);
}

ExchangeFsm::Step ExchangeFsm::on_upstream_bytes(std::string_view bytes,
                                                 const ResponseExtras& extras, std::string& out) {
  if (!wants_upstream_bytes() || bytes.empty()) return {};
  response_begun_ = true;
  switch (phase_) {
    case Phase::kHead:
      return take_head(bytes, extras, out);
    case Phase::kBody:
      return take_body(bytes, out);
    case Phase::kTunnel:
      response_body_bytes_ += bytes.size();
      return {bytes.size(), bytes};
    case Phase::kComplete:
      break;
  }
  return {};
}

ExchangeFsm::Step ExchangeFsm::take_head(std::string_view bytes, const ResponseExtras& extras,
                                         std::string& out) {
  // Parsing again is worth it only when another line has ended.
  const bool new_line = bytes.substr(std::min(head_bytes_seen_, bytes.size())).contains('\n');
  if (!new_line && bytes.size() <= limits_.response_head.max_bytes && head_bytes_seen_ > 0) {
    head_bytes_seen_ = bytes.size();
    return {};
  }
  ResponseHead& head = reusable_head();
  const ParseOutcome parsed = parse_response_head(bytes, limits_.response_head, head);
  if (parsed.status == ParseStatus::kInvalid) {
    fail(ExchangeFailure::kUpstreamInvalid, parsed.fault.reason);
    return {};
  }
  if (parsed.status == ParseStatus::kNeedMore) {
    head_bytes_seen_ = bytes.size();
    return {};
  }
  head_bytes_seen_ = 0;
  accept_head(head, extras, out);
  return {failed() ? 0 : head.size_bytes, {}};
}

void ExchangeFsm::accept_head(const ResponseHead& head, const ResponseExtras& extras,
                              std::string& out) {
  if (head.status == 101) return switch_protocols(head, extras, out);
  if (head.status < 200) {
    if (++interim_responses_ > limits_.max_interim_responses) {
      return fail(ExchangeFailure::kUpstreamInvalid, "there are too many interim responses");
    }
    // RFC 9110 section 15.2: not to a client that cannot know them.
    if (request_.version == Version::kHttp11) append_interim_response(out, head);
    return;
  }
  ResponseControl control;
  const auto read = read_response_control(head, method_for_framing(request_.method), control);
  if (read.status == ParseStatus::kInvalid) {
    return fail(ExchangeFailure::kUpstreamInvalid, read.fault.reason);
  }
  upstream_keep_alive_ = control.keep_alive;
  response_body_ = BodyReader(control.framing);
  to_client_ = client_framing(control.framing, request_.version);
  // A client that is still sending its body could not tell us where the next request begins.
  const bool can_go_on = request_body_.complete() && to_client_.kind != FramingKind::kUntilClose;
  persistence_ = can_go_on ? request_.persistence : Persistence::kClose;
  append_client_response(
      out, {.head = head,
            .control = control,
            .framing = to_client_,
            .client_version = request_.version,
            .persistence = persistence_,
            .body = request_.method == MethodKind::kHead ? AnswerBody::kOmitted : AnswerBody::kSent,
            .extras = extras});
  status_ = head.status;
  phase_ = response_body_.complete() ? Phase::kComplete : Phase::kBody;
}

void ExchangeFsm::switch_protocols(const ResponseHead& head, const ResponseExtras& extras,
                                   std::string& out) {
  ResponseControl control;
  const auto read = read_response_control(head, "GET", control);
  if (read.status == ParseStatus::kInvalid || !request_.wants_websocket ||
      !control.switches_to_websocket) {
    return fail(ExchangeFailure::kUpstreamInvalid, "it switched to a protocol nobody asked for");
  }
  append_client_response(
      out,
      {.head = head, .control = control, .framing = {FramingKind::kTunnel, 0}, .extras = extras});
  status_ = head.status;
  phase_ = Phase::kTunnel;
}

ExchangeFsm::Step ExchangeFsm::take_body(std::string_view bytes, std::string& out) {
  const BodyStep step = response_body_.read(bytes);
  if (step.status == ParseStatus::kInvalid) {
    fail(ExchangeFailure::kUpstreamInvalid, step.fault);
    return {};
  }
  response_body_bytes_ += step.data.size();
  if (step.status == ParseStatus::kComplete) phase_ = Phase::kComplete;
  if (to_client_.kind != FramingKind::kChunked) return {step.consumed, step.data};
  append_chunk(out, step.data);
  if (phase_ == Phase::kComplete) {
    std::string trailers;
    append_plain_trailers(trailers, response_body_.trailers());
    append_last_chunk(out, trailers);
  }
  return {step.consumed, {}};
}

void ExchangeFsm::on_upstream_end(std::string& out) {
  if (upstream_ended_) return;
  upstream_ended_ = true;
  if (phase_ == Phase::kTunnel || phase_ == Phase::kComplete) return;
  if (phase_ == Phase::kBody && response_body_.end()) {
    if (to_client_.kind == FramingKind::kChunked) append_last_chunk(out);
    phase_ = Phase::kComplete;
    return;
  }
  fail(ExchangeFailure::kUpstreamClosed);
}

void ExchangeFsm::on_upstream_broken() {
  upstream_ended_ = true;
  if (phase_ != Phase::kComplete) fail(ExchangeFailure::kUpstreamClosed);
}

bool ExchangeFsm::may_send_again(ConnectionOrigin origin) const {
  if (response_begun_ || request_begun_) return false;
  switch (origin) {
    case ConnectionOrigin::kNone:
      return true;
    case ConnectionOrigin::kFresh:
      return is_safe(request_.method);
    case ConnectionOrigin::kReused:
      return request_.method != MethodKind::kOther;
  }
  return false;
}

void ExchangeFsm::begin_again() {
  failure_ = ExchangeFailure::kNone;
  fault_ = {};
  upstream_ended_ = false;
  head_bytes_seen_ = 0;
}

bool ExchangeFsm::upstream_reusable(size_t left_over) const {
  return phase_ == Phase::kComplete && !failed() && request_body_.complete() &&
         upstream_keep_alive_ && !upstream_ended_ && left_over == 0;
}

bool ExchangeFsm::client_reusable() const {
  return phase_ == Phase::kComplete && !failed() && persistence_ == Persistence::kKeepAlive &&
         !client_ended_;
}

}  // namespace partywall::http
