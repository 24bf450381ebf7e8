#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/operations.h"
#include "store/control/tenants.h"
#include "tenancy/life_cycle.h"

// The life cycle of a tenant: one endpoint a command. What may follow what is tenancy/life_cycle.h.
namespace partywall::admin {
namespace {

struct Command {
  TenantCommand command;
  std::string_view pattern;
  std::string_view event;
  Role least;
  std::string_view summary;
};

// What cannot be undone, or what only the company's lawyers decide, is the owner's.
constexpr Command kCommands[] = {
    {TenantCommand::kSuspend, "/v1/tenants/{tenant}/suspend", "tenant.suspended", Role::kOperator,
     "Suspend: no door serves it, its sessions are cut"},
    {TenantCommand::kResume, "/v1/tenants/{tenant}/resume", "tenant.resumed", Role::kOperator,
     "Resume: back to full service"},
    {TenantCommand::kRestrict, "/v1/tenants/{tenant}/read-only", "tenant.restricted",
     Role::kOperator, "Make it read-only"},
    {TenantCommand::kOffboard, "/v1/tenants/{tenant}/offboard", "tenant.offboarding", Role::kOwner,
     "Offboard: it is served no more, and its grace period begins"},
    {TenantCommand::kRestore, "/v1/tenants/{tenant}/restore", "tenant.restored", Role::kOwner,
     "End the offboarding: it is suspended, until somebody resumes it"},
    {TenantCommand::kErase, "/v1/tenants/{tenant}/erase", "tenant.erasing", Role::kOwner,
     "Erase its data, after the grace period and if no legal hold is set"},
    {TenantCommand::kHold, "/v1/tenants/{tenant}/hold", "tenant.hold_set", Role::kOwner,
     "Set the legal hold: nothing of it may be erased"},
    {TenantCommand::kRelease, "/v1/tenants/{tenant}/release", "tenant.hold_released", Role::kOwner,
     "Release the legal hold"},
};

std::optional<WallTime> grace_after(const Call& call, const store::TenantRecord& before,
                                    const LifeCycle& next) {
  if (next.status != TenantStatus::kOffboarding) return std::nullopt;
  if (before.status == TenantStatus::kOffboarding) return before.grace_ends_at;
  return call.time.wall() + std::chrono::duration_cast<milliseconds>(call.settings.grace_period);
}

ApiResult<> take_step(const Call& call, store::Change& change, const store::TenantRecord& tenant,
                      const Command& command) {
  const bool is_grace_over = tenant.grace_ends_at && *tenant.grace_ends_at <= call.time.wall();
  const LifeCycleStep result = step({.status = tenant.status, .legal_hold = tenant.legal_hold},
                                    command.command, {.is_grace_over = is_grace_over});
  if (result.outcome == StepOutcome::kRefused) {
    return refuse(conflict(
        fmt::format("Tenant {} is {}: {}.", tenant.slug, to_string(tenant.status), result.reason)));
  }
  if (result.outcome == StepOutcome::kUnchanged) return {};
  auto set = store::set_tenant_state(change, tenant.id, result.next.status, result.next.legal_hold,
                                     grace_after(call, tenant, result.next), command.event);
  if (!set) return refuse(set.error());
  if (command.command != TenantCommand::kErase) return {};
  auto begun = store::insert_operation(change, {.id = store::OperationId(Uuid::random(call.random)),
                                                .kind = "tenant.erase",
                                                .tenant = tenant.id,
                                                .subject = tenant.slug,
                                                .step = "start"});
  if (!begun) return refuse(begun.error());
  return {};
}

ApiResult<Answer> run(const Call& call, const Command& command) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto body = parse_optional_body(call.request);
    if (!body) return refuse(body.error());
    if (auto empty = JsonReader(*body).result(); !empty) return refuse(empty.error());
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    if (auto match = check_if_match_given(call, tenant->version); !match)
      return refuse(match.error());
    if (auto taken = take_step(call, change, *tenant, command); !taken)
      return refuse(taken.error());
    const auto stored = store::find_tenant(change, tenant->id);
    if (!stored) return refuse(stored.error());
    const auto tiers = load_tiers(change);
    if (!tiers) return refuse(tiers.error());
    return Answer{.body = to_json_text(to_json(*stored, *tiers)), .version = stored->version};
  });
}

}  // namespace

void add_tenant_state_endpoints(ApiEndpoints& endpoints) {
  for (const Command& command : kCommands) {
    endpoints.push_back(
        {.method = "POST",
         .pattern = command.pattern,
         .summary = command.summary,
         .access = {command.least},
         .handler = answering([&command](const Call& call) { return run(call, command); }),
         .request_schema = "Empty",
         .response_schema = "Tenant",
         .if_match = IfMatch::kOptional});
  }
}

}  // namespace partywall::admin
