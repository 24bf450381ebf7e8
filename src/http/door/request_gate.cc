#include "http/door/request_gate.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ascii.h"
#include "base/decimal.h"
#include "http/message/characters.h"

namespace partywall::http {
namespace {

// A request ends sooner or later; how soon is not known.
constexpr Duration kRetryAfterConcurrency = seconds(1);

std::unexpected<Refusal> refuse(Problem problem, std::string detail) {
  return std::unexpected(Refusal{.problem = problem, .detail = std::move(detail)});
}

// A route without a tenant leads to the first cell that has its pool.
const Cell* cell_with_pool(const Directory& directory, std::string_view pool) {
  const auto found = std::ranges::find_if(
      directory.cells(), [&](const Cell& cell) { return cell.find_pool(pool) != nullptr; });
  return found == directory.cells().end() ? nullptr : &*found;
}

std::optional<Refusal> check_status(const Tenant& tenant, MethodKind method) {
  if (!is_served(tenant.status)) {
    return Refusal{.problem = Problem::kTenantSuspended,
                   .detail = fmt::format("tenant '{}' is {}; ask whoever runs this service",
                                         tenant.slug, to_string(tenant.status))};
  }
  if (tenant.status == TenantStatus::kReadOnly && !is_safe(method)) {
    return Refusal{.problem = Problem::kTenantReadOnly,
                   .detail = fmt::format(
                       "tenant '{}' may only send GET, HEAD and OPTIONS at present", tenant.slug)};
  }
  return std::nullopt;
}

uint64_t whole_seconds_up(Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(std::chrono::ceil<seconds>(duration).count(), 0));
}

}  // namespace

std::expected<std::string_view, Refusal> bearer_token(const Fields& fields) {
  const Field* authorization = nullptr;
  for (const Field& field : fields) {
    if (field.kind != FieldKind::kAuthorization) continue;
    if (authorization) return refuse(Problem::kBadRequest, "Authorization is there more than once");
    authorization = &field;
  }
  if (!authorization) {
    return refuse(Problem::kTokenMissing, "send the header 'Authorization: Bearer <token>'");
  }
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view value = authorization->value;
  if (value.size() <= kScheme.size() ||
      !equal_ignoring_case(value.substr(0, kScheme.size()), kScheme)) {
    return refuse(Problem::kTokenMissing,
                  "the Authorization header must be 'Bearer' and a token, nothing else");
  }
  return value.substr(kScheme.size());
}

std::expected<const Tenant*, Refusal> RequestGate::identify(const GateRequest& request,
                                                            const WorkerSnapshot& snapshot) {
  const auto token = bearer_token(request.head.fields);
  if (!token) return std::unexpected(token.error());
  const DoorDirectory& door = *snapshot.door;
  const auto verified = tokens_.verify(*door.verifier, door.key_generation, *token, request.wall);
  if (!verified) return refuse(Problem::kTokenInvalid, verified.error().message);
  const Tenant* tenant = snapshot.directory().find_tenant_by_name((*verified)->tenant);
  if (!tenant) {
    return refuse(Problem::kTenantUnknown, "the token names a tenant that does not exist here");
  }
  return tenant;
}

std::expected<Admission, Refusal> RequestGate::decide(const GateRequest& request,
                                                      const WorkerSnapshot& snapshot) {
  const Directory& directory = snapshot.directory();
  const Route* route = directory.find_route(request.path);
  if (!route) return refuse(Problem::kRouteNotFound, "no route of this service has such a path");
  const auto with_route = [route](Refusal refusal) {
    refusal.route = route;
    return std::unexpected(std::move(refusal));
  };
  if (!route->authenticated) {
    const Cell* cell = cell_with_pool(directory, route->pool);
    if (cell) return Admission{.route = route, .cell = cell};
    return with_route({.problem = Problem::kNoInstance, .detail = "no cell has the route's pool"});
  }
  const auto tenant = identify(request, snapshot);
  if (!tenant) return with_route(tenant.error());
  auto admission = admit(request, *route, **tenant, directory);
  if (admission) return admission;
  admission.error().tenant = *tenant;
  return with_route(std::move(admission.error()));
}

std::optional<Refusal> RequestGate::take_units(const GateRequest& request, const Tenant& tenant) {
  RequestTurn& turn = request.turn;
  if (turn.units.held() && turn.tenant == tenant.number) return std::nullopt;
  const LimitAsk requests = ask_about(tenant, LimitKind::kHttpRequests);
  if (!lines_.must_wait(tenant.number)) {
    LimitDesk::Acquired acquired = desk_.acquire(requests, request.now);
    if (acquired.pending) return Refusal{.waits_for = requests};
    if (acquired.units) {
      turn.tenant = tenant.number;
      turn.units = std::move(*acquired.units);
      return std::nullopt;
    }
  }
  return Refusal{
      .problem = Problem::kTooManyRequests,
      .detail = fmt::format("tenant '{}' has {} requests under way, the most its tier allows",
                            tenant.slug, tenant.limits.max_concurrent_requests),
      .retry_after = kRetryAfterConcurrency,
      .may_queue = requests};
}

std::expected<Admission, Refusal> RequestGate::admit(const GateRequest& request, const Route& route,
                                                     const Tenant& tenant,
                                                     const Directory& directory) {
  if (auto refusal = check_status(tenant, request.method)) return std::unexpected(*refusal);
  // Concurrency first: what it refuses shall not use up the rate.
  if (auto refusal = take_units(request, tenant)) return std::unexpected(std::move(*refusal));
  const RateDecision rate = desk_.admit(tenant, LimitKind::kHttpRate, request.now);
  if (rate.pending)
    return std::unexpected(Refusal{.waits_for = ask_about(tenant, LimitKind::kHttpRate)});
  if (!rate.admitted) {
    Refusal refusal{
        .problem = Problem::kRateLimited,
        .detail = fmt::format("tenant '{}' sent more requests than its tier allows", tenant.slug),
        .rate = rate};
    if (rate.retry_after != Duration::max()) refusal.retry_after = rate.retry_after;
    return std::unexpected(std::move(refusal));
  }
  const Cell* cell = directory.find_cell(tenant.cell);  // a directory without it is not built
  return Admission{.route = &route,
                   .cell = cell,
                   .tenant = &tenant,
                   .units = std::move(request.turn.units),
                   .rate = rate};
}

void append_rate_limit_fields(std::string& out, const RateLimit& limit,
                              const RateDecision& decision) {
  out += "RateLimit-Policy: \"api\";q=";
  append_decimal(out, limit.tokens);
  out += ";w=";
  append_decimal(out, whole_seconds_up(limit.period));
  out += "\r\nRateLimit: \"api\";r=";
  append_decimal(out, decision.remaining);
  out += ";t=";
  append_decimal(out, whole_seconds_up(decision.reset_after));
  out += "\r\n";
}

}  // namespace partywall::http
