#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "http/door/worker_snapshot.h"
#include "http/message/head.h"
#include "http/proxy/exchange_fsm.h"
#include "http/proxy/problem.h"
#include "identity/verified_tokens.h"
#include "policy/limit_desk.h"

namespace partywall::http {

struct GateRequest {
  const RequestHead& head;
  MethodKind method;
  std::string_view path;  // the routing path
  MonotonicTime now;
  WallTime wall;
};

// What was found out, and the right to go on. The pointers are of the snapshot.
struct Admission {
  const Route* route = nullptr;
  const Cell* cell = nullptr;
  const Tenant* tenant = nullptr;  // nullptr: the route needs none
  ConcurrencyUnits units;
  RateDecision rate;
};

struct Refusal {
  Problem problem = Problem::kInternal;
  std::string detail;
  const Tenant* tenant = nullptr;  // if it was known by then
  const Route* route = nullptr;
  std::optional<Duration> retry_after;
  std::optional<RateDecision> rate;
  std::optional<LimitAsk> waits_for;  // no refusal: decide again when the desk has the answer
};

// Decides whether a request may go on: its route, who the tenant is, whether the tenant is served,
// and its limits, in this order. Reads no clock and does no I/O. One per worker.
class RequestGate {
 public:
  explicit RequestGate(LimitDesk& desk) : desk_(desk) {}

  std::expected<Admission, Refusal> decide(const GateRequest& request,
                                           const WorkerSnapshot& snapshot);

  [[nodiscard]] const VerifiedTokens& tokens() const { return tokens_; }

 private:
  std::expected<const Tenant*, Refusal> identify(const GateRequest& request,
                                                 const WorkerSnapshot& snapshot);
  std::expected<Admission, Refusal> admit(const GateRequest& request, const Route& route,
                                          const Tenant& tenant, const Directory& directory);

  LimitDesk& desk_;
  VerifiedTokens tokens_;
};

// The token of "Authorization: Bearer <token>" (RFC 6750 section 2.1).
std::expected<std::string_view, Refusal> bearer_token(const Fields& fields);

// RateLimit and RateLimit-Policy lines (draft-ietf-httpapi-ratelimit-headers).
void append_rate_limit_fields(std::string& out, const RateLimit& limit,
                              const RateDecision& decision);

}  // namespace partywall::http
