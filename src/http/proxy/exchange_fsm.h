#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message/body_reader.h"
#include "http/message/framing.h"
#include "http/message/head.h"
#include "http/proxy/client_response.h"
#include "http/proxy/persistence.h"

namespace partywall::http {

// What RFC 9110 section 9.2 says of the method.
enum class MethodKind : uint8_t {
  kHead,        // safe; the answer has no body
  kSafe,        // GET, OPTIONS
  kIdempotent,  // PUT, DELETE
  kOther,
};

[[nodiscard]] MethodKind method_kind(std::string_view method);
[[nodiscard]] constexpr bool is_safe(MethodKind kind) {
  return kind == MethodKind::kHead || kind == MethodKind::kSafe;
}

struct ExchangeLimits {
  HeadLimits response_head{.max_bytes = 64 * 1024, .max_fields = 200};
  uint64_t max_request_body_bytes = 16ULL << 20;
  uint32_t max_interim_responses = 16;
};

// What the exchange has to know of its request.
struct ExchangeRequest {
  MethodKind method = MethodKind::kOther;
  Version version = Version::kHttp11;
  Framing framing;
  bool wants_websocket = false;
  Persistence persistence = Persistence::kKeepAlive;  // what the client asks for
};

// Why an exchange cannot go on.
enum class ExchangeFailure : uint8_t {
  kNone,
  kClientBodyInvalid,
  kClientBodyTooLarge,
  kClientGone,
  kUpstreamInvalid,  // it answered what is no HTTP
  kUpstreamClosed,   // it closed before its answer was whole
};

// Where the upstream connection came from, for the decision to try again.
enum class ConnectionOrigin : uint8_t { kNone, kFresh, kReused };

// One request and its response on their way through the door: turns the bytes of each side into the
// bytes for the other. The heads of requests are not its business: it begins behind the request's
// head, which the session writes.
//
// `out` gets what has to be written anew; `direct` is a part of the input that goes behind it as it
// is. What was not consumed must be presented again, with more behind it.
class ExchangeFsm {
 public:
  struct Step {
    size_t consumed = 0;
    std::string_view direct;
  };

  ExchangeFsm(const ExchangeRequest& request, const ExchangeLimits& limits);

  // The client's body. Nothing is consumed once the request is complete: the rest is the next one.
  Step on_client_bytes(std::string_view bytes, std::string& out);
  // The client has gone, or will send no more.
  void on_client_end();

  Step on_upstream_bytes(std::string_view bytes, const ResponseExtras& extras, std::string& out);
  // The upstream will send no more.
  void on_upstream_end(std::string& out);
  void on_upstream_broken();

  // No more requests shall follow on the client's connection. Without effect once the head of the
  // response has been written.
  void close_after_response() { request_.persistence = Persistence::kClose; }

  [[nodiscard]] bool wants_client_bytes() const;
  [[nodiscard]] bool wants_upstream_bytes() const;
  [[nodiscard]] bool request_complete() const { return request_body_.complete(); }
  // The response is complete, or both directions of a tunnel have ended.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] ExchangeFailure failure() const { return failure_; }
  [[nodiscard]] bool failed() const { return failure_ != ExchangeFailure::kNone; }
  // Too late for another answer: the client has seen the head of this one.
  [[nodiscard]] bool head_written() const { return status_ != 0; }
  [[nodiscard]] bool is_tunnel() const { return phase_ == Phase::kTunnel; }
  [[nodiscard]] bool upstream_ended() const { return upstream_ended_; }
  [[nodiscard]] bool client_ended() const { return client_ended_; }

  // May the request be sent to another connection, after this one failed? Always if nothing was
  // sent. After a connection was closed without a byte of an answer, only what may be done twice
  // (RFC 9110 section 9.2.2): an idempotent request if the connection was a reused one, because
  // that is how servers end idle connections; on a fresh one, where the instance has probably died
  // over it, only a safe request.
  [[nodiscard]] bool may_send_again(ConnectionOrigin origin) const;
  // Forgets the failure of the upstream, for the next attempt.
  void begin_again();

  // Once finished. `left_over` bytes came behind the response.
  [[nodiscard]] bool upstream_reusable(size_t left_over) const;
  [[nodiscard]] bool client_reusable() const;

  [[nodiscard]] uint16_t status() const { return status_; }
  [[nodiscard]] uint64_t request_body_bytes() const { return request_body_bytes_; }
  [[nodiscard]] uint64_t response_body_bytes() const { return response_body_bytes_; }
  // What was wrong with the bytes, for kClientBodyInvalid and kUpstreamInvalid.
  [[nodiscard]] std::string_view fault() const { return fault_; }

 private:
  enum class Phase : uint8_t { kHead, kBody, kComplete, kTunnel };

  void fail(ExchangeFailure failure, std::string_view fault = {});
  Step take_head(std::string_view bytes, const ResponseExtras& extras, std::string& out);
  void accept_head(const ResponseHead& head, const ResponseExtras& extras, std::string& out);
  void switch_protocols(const ResponseHead& head, const ResponseExtras& extras, std::string& out);
  Step take_body(std::string_view bytes, std::string& out);

  ExchangeRequest request_;
  ExchangeLimits limits_;
  Phase phase_ = Phase::kHead;
  ExchangeFailure failure_ = ExchangeFailure::kNone;
  Persistence persistence_ = Persistence::kClose;  // as said in the response's head
  bool response_begun_ = false;                    // a byte of it has come
  bool request_begun_ = false;                     // a byte of the body has gone
  bool upstream_keep_alive_ = false;
  bool upstream_ended_ = false;
  bool client_ended_ = false;
  uint16_t status_ = 0;
  uint32_t interim_responses_ = 0;
  size_t head_bytes_seen_ = 0;  // of an incomplete head, without another line's end
  BodyReader request_body_;
  BodyReader response_body_;
  Framing to_client_;
  uint64_t request_body_bytes_ = 0;
  uint64_t response_body_bytes_ = 0;
  std::string_view fault_;
};

}  // namespace partywall::http
