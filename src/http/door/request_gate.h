#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "http/admission/tenant_lines.h"
#include "http/door/worker_snapshot.h"
#include "http/message/head.h"
#include "http/proxy/exchange_fsm.h"
#include "http/proxy/problem.h"
#include "identity/verified_tokens.h"
#include "policy/limit_desk.h"

namespace partywall::http {

// What a request that had to wait brings along when it is decided again.
struct RequestTurn {
  enum class Patience : uint8_t { kLeft, kOver, kClientGone };

  std::optional<MonotonicTime> since;  // when it began to wait in its tenant's line
  Patience patience = Patience::kLeft;
  TenantId tenant_id;
  TenantNumber tenant;
  ConcurrencyUnits units;  // the tenant's
};

struct GateRequest {
  const RequestHead& head;
  MethodKind method;
  std::string_view path;  // the routing path
  MonotonicTime now;
  WallTime wall;
  RequestTurn& turn;  // its units are used, or kept for the next time
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
  std::optional<LimitAsk> may_queue;  // a refusal, unless it may wait in its tenant's line
};

// Decides whether a request may go on: its route, who the tenant is, whether the tenant is served,
// and its limits, in this order. Reads no clock and does no I/O. One per worker.
class RequestGate {
 public:
  RequestGate(LimitDesk& desk, const TenantLines& lines) : desk_(desk), lines_(lines) {}

  std::expected<Admission, Refusal> decide(const GateRequest& request,
                                           const WorkerSnapshot& snapshot);

  [[nodiscard]] const VerifiedTokens& tokens() const { return tokens_; }

 private:
  std::expected<const Tenant*, Refusal> identify(const GateRequest& request,
                                                 const WorkerSnapshot& snapshot);
  std::optional<Refusal> take_units(const GateRequest& request, const Tenant& tenant);
  std::expected<Admission, Refusal> admit(const GateRequest& request, const Route& route,
                                          const Tenant& tenant, const Directory& directory);

  LimitDesk& desk_;
  const TenantLines& lines_;
  VerifiedTokens tokens_;
};

// The token of "Authorization: Bearer <token>" (RFC 6750 section 2.1).
std::expected<std::string_view, Refusal> bearer_token(const Fields& fields);

// RateLimit and RateLimit-Policy lines (draft-ietf-httpapi-ratelimit-headers).
void append_rate_limit_fields(std::string& out, const RateLimit& limit,
                              const RateDecision& decision);

}  // namespace partywall::http
