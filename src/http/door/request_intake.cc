#include "http/door/request_intake.h"

#include <utility>

#include "http/proxy/upstream_request.h"
#include "identity/context_token.h"

namespace partywall::http {
namespace {

// The body of a refused request is read and dropped up to this size, so that the connection can
// stay: cheaper for both sides than a new one.
constexpr uint64_t kMostDroppedBytes = 64 * 1024;

Result<std::string> mint(const WorkerSnapshot& snapshot, const Tenant& tenant, const Uuid& id,
                         WallTime now) {
  return mint_context(
      {.tenant = tenant.id,
       .audience = Audience::kAny,
       .issued_at = now,
       .expires_at = now + std::chrono::duration_cast<milliseconds>(kRequestContextLifetime),
       .request_id = id},
      snapshot.directory().context_keys());
}

}  // namespace

RequestRecord RequestIntake::make_record(const Uuid& id) {
  RequestRecord record(state_, client_);
  if (turn_.since) record.waited_since(*turn_.since);
  record.set_request_id(id);
  return record;
}

IntakeOutcome RequestIntake::refuse_unreadable(const Fault& fault) {
  RequestRecord record = make_record(Uuid::random(state_.random));
  record.begin_log(nullptr, {});
  const Problem problem =
      fault.status == 408 ? Problem::kRequestTimeout : problem_of_status(fault.status);
  const bool written = record.answer({.problem = problem, .detail = fault.reason});
  record.finish(describe(problem).status);
  return {.broken = !written};
}

IntakeOutcome RequestIntake::take(const RequestHead& head) {
  const Uuid id = Uuid::random(state_.random);
  Request request{.head = head, .record = make_record(id), .id = id, .target = {}, .control = {}};
  if (const auto fault = understand(request)) {
    client_.input.consume(head.size_bytes);
    // Where this request ends is in doubt, so there is no next one.
    request.control.keep_alive = false;
    return refuse(request, {.problem = problem_of_status(fault->status),
                            .detail = std::string(fault->reason)});
  }
  return decide(request);
}

std::optional<Fault> RequestIntake::understand(Request& request) {
  const RequestHead& head = request.head;
  ParseOutcome read = parse_target(head.method, head.target, request.target);
  request.record.begin_log(&head, request.target.path);
  if (read.status == ParseStatus::kInvalid) return read.fault;
  read = read_request_control(head, request.target.authority, request.control);
  if (read.status == ParseStatus::kInvalid) return read.fault;
  // TRACE would send the context token back to the client.
  if (head.method == "CONNECT" || head.method == "TRACE") {
    return Fault{501, "CONNECT and TRACE are not offered here"};
  }
  return std::nullopt;
}

std::expected<Admission, Refusal> RequestIntake::ask_gate(const Request& request) {
  const RequestControl& control = request.control;
  if (control.framing.length_bytes > state_.settings.limits.exchange.max_request_body_bytes) {
    return std::unexpected(Refusal{.problem = Problem::kBodyTooLarge,
                                   .detail = "the body is larger than this service accepts"});
  }
  const auto path = routing_path(request.target.path, state_.scratch_path);
  if (!path) {
    return std::unexpected(
        Refusal{.problem = Problem::kBadRequest, .detail = path.error().message});
  }
  return state_.gate.decide({.head = request.head,
                             .method = method_kind(request.head.method),
                             .path = *path,
                             .now = state_.loop.now(),
                             .wall = request.record.began_wall(),
                             .turn = turn_},
                            *request.record.snapshot);
}

IntakeOutcome RequestIntake::decide(Request& request) {
  RequestRecord& record = request.record;
  if (turn_.patience == RequestTurn::Patience::kClientGone) return write_down_abandoned(request);
  auto admission = ask_gate(request);
  if (!admission && admission.error().waits_for) return {.waits_for = admission.error().waits_for};
  if (!admission && may_wait(admission.error())) {
    return {.waits_in_line = admission.error().may_queue};
  }
  // The bytes stay where they are until the next read, so the views into them stay valid.
  client_.input.consume(request.head.size_bytes);
  if (!admission) {
    record.tenant = admission.error().tenant;
    record.route = admission.error().route;
    return refuse(request, admission.error());
  }
  record.tenant = admission->tenant;
  record.route = admission->route;
  record.cell = admission->cell;
  return go_on(request, std::move(*admission));
}

bool RequestIntake::may_wait(const Refusal& refusal) const {
  return refusal.may_queue && turn_.patience == RequestTurn::Patience::kLeft &&
         state_.settings.queue.timeout > Duration(0);
}

IntakeOutcome RequestIntake::write_down_abandoned(Request& request) {
  RequestRecord& record = request.record;
  client_.input.consume(request.head.size_bytes);
  record.tenant = record.snapshot->directory().find_tenant(turn_.tenant_id);
  state_.metrics.count(DoorCounter::kClientAborts);
  record.finish(kClientClosedRequest);
  return {.broken = true};
}

IntakeOutcome RequestIntake::go_on(Request& request, Admission admission) {
  RequestRecord& record = request.record;
  auto group = state_.pools.find(*admission.cell, admission.route->pool);
  if (!group) {
    return refuse(request, {.problem = Problem::kNoInstance,
                            .detail = "the tenant's cell has no pool of the route's name"});
  }
  if (const auto written = write_application_head(request, admission); !written) {
    return refuse(request,
                  {.problem = Problem::kInternal, .detail = "no context token could be made"});
  }
  if (admission.tenant) {
    append_rate_limit_fields(record.text().extras, admission.tenant->limits.api_rate,
                             admission.rate);
  }
  const RequestControl& control = request.control;
  const bool keep_alive = control.keep_alive && !state_.drain.requested();
  return {
      .admitted = AdmittedRequest{
          .record = std::move(record),
          .units = std::move(admission.units),
          .group = std::move(group),
          .request = {.method = method_kind(request.head.method),
                      .version = request.head.version,
                      .framing = control.framing,
                      .wants_websocket = control.wants_websocket,
                      .persistence = keep_alive ? Persistence::kKeepAlive : Persistence::kClose}}};
}

Result<> RequestIntake::write_application_head(Request& request, const Admission& admission) {
  RequestRecord& record = request.record;
  UpstreamRequest upstream{.head = request.head,
                           .target = request.target,
                           .control = request.control,
                           .origin = client_.origin,
                           .request_id = record.text().id,
                           .authorization = state_.settings.authorization};
  if (!admission.tenant) {
    append_upstream_request(record.text().head, upstream);
    return {};
  }
  const Tenant& tenant = *admission.tenant;
  const auto token = mint(*record.snapshot, tenant, request.id, record.began_wall());
  if (!token) return std::unexpected(token.error());
  const std::string tenant_id = tenant.id.value().to_string();
  const TenantFields fields{
      .id = tenant_id, .slug = tenant.slug, .tier = tenant.tier, .context = *token};
  upstream.tenant = &fields;
  append_upstream_request(record.text().head, upstream);
  return {};
}

bool RequestIntake::may_keep_alive(const RequestControl& control) const {
  if (!control.keep_alive || state_.drain.requested()) return false;
  // A client that waits for 100 may or may not send its body after a refusal.
  return control.framing.kind == FramingKind::kNone ||
         (control.framing.kind == FramingKind::kLength && !control.expects_continue &&
          control.framing.length_bytes <= kMostDroppedBytes);
}

IntakeOutcome RequestIntake::refuse(Request& request, const Refusal& refusal) {
  RequestRecord& record = request.record;
  if (refusal.rate && record.tenant) {
    append_rate_limit_fields(record.text().extras, record.tenant->limits.api_rate, *refusal.rate);
  }
  const bool keep_alive = may_keep_alive(request.control);
  const Persistence persistence = keep_alive ? Persistence::kKeepAlive : Persistence::kClose;
  const bool written = record.answer(
      {.problem = refusal.problem,
       .detail = refusal.detail,
       .retry_after = refusal.retry_after,
       .persistence = persistence,
       .body = request.head.method == "HEAD" ? AnswerBody::kOmitted : AnswerBody::kSent});
  record.finish(describe(refusal.problem).status);
  return {.persistence = persistence,
          .unread_body_bytes = keep_alive ? request.control.framing.length_bytes : 0,
          .broken = !written};
}

}  // namespace partywall::http
