#include "tenancy/life_cycle.h"

#include <algorithm>

namespace partywall {
namespace {

using enum TenantStatus;

struct CommandName {
  TenantCommand command;
  std::string_view name;
  bool is_for_operators;
};
constexpr std::array<CommandName, kTenantCommands.size()> kCommandNames = {{
    {TenantCommand::kProvision, "provision", false},
    {TenantCommand::kActivate, "activate", false},
    {TenantCommand::kRestrict, "read-only", true},
    {TenantCommand::kSuspend, "suspend", true},
    {TenantCommand::kResume, "resume", true},
    {TenantCommand::kOffboard, "offboard", true},
    {TenantCommand::kRestore, "restore", true},
    {TenantCommand::kErase, "erase", true},
    {TenantCommand::kFinishErasure, "finish-erasure", false},
    {TenantCommand::kHold, "hold", true},
    {TenantCommand::kRelease, "release", true},
}};

constexpr std::string_view kNotYetActive =
    "it is not active yet; wait until it is provisioned, or offboard it";
constexpr std::string_view kLeaving = "it is being offboarded; restore it first";
constexpr std::string_view kBeingErased = "its erasure has begun and cannot be undone";
constexpr std::string_view kGone = "it is erased; create a new tenant";

LifeCycleStep unchanged(const LifeCycle& current) {
  return {.outcome = StepOutcome::kUnchanged, .next = current, .reason = {}};
}

LifeCycleStep refused(const LifeCycle& current, std::string_view reason) {
  return {.outcome = StepOutcome::kRefused, .next = current, .reason = reason};
}

LifeCycleStep moved(LifeCycle current, TenantStatus to) {
  if (current.status == to) return unchanged(current);
  current.status = to;
  return {.outcome = StepOutcome::kMoved, .next = current, .reason = {}};
}

// Why a tenant outside of service takes no command of those in service.
std::string_view why_not_in_service(TenantStatus status) {
  switch (status) {
    case kRequested:
    case kProvisioning:
      return kNotYetActive;
    case kOffboarding:
      return kLeaving;
    case kErasing:
      return kBeingErased;
    default:
      return kGone;
  }
}

constexpr bool is_in_service(TenantStatus status) {
  return status == kActive || status == kReadOnly || status == kSuspended;
}

LifeCycleStep to_service(const LifeCycle& current, TenantStatus to) {
  return is_in_service(current.status) ? moved(current, to)
                                       : refused(current, why_not_in_service(current.status));
}

LifeCycleStep provision(const LifeCycle& current) {
  if (current.status == kRequested) return moved(current, kProvisioning);
  if (current.status == kProvisioning || is_in_service(current.status)) return unchanged(current);
  return refused(current, why_not_in_service(current.status));
}

LifeCycleStep activate(const LifeCycle& current) {
  if (current.status == kProvisioning) return moved(current, kActive);
  // Whoever suspended it meanwhile is not overruled by a late report of the provisioning.
  if (is_in_service(current.status)) return unchanged(current);
  return refused(current, why_not_in_service(current.status));
}

LifeCycleStep offboard(const LifeCycle& current) {
  if (current.status == kErasing || current.status == kErased) return unchanged(current);
  return moved(current, kOffboarding);
}

LifeCycleStep restore(const LifeCycle& current) {
  if (current.status == kOffboarding) return moved(current, kSuspended);
  if (is_in_service(current.status)) return unchanged(current);
  return refused(current, why_not_in_service(current.status));
}

LifeCycleStep erase(const LifeCycle& current, ErasureGuard guard) {
  if (current.status == kErasing || current.status == kErased) return unchanged(current);
  if (current.status != kOffboarding) return refused(current, "it must be offboarded first");
  if (current.legal_hold) return refused(current, "it is under legal hold; release that first");
  if (!guard.is_grace_over) return refused(current, "its grace period is not over yet");
  return moved(current, kErasing);
}

LifeCycleStep finish_erasure(const LifeCycle& current) {
  if (current.status == kErased) return unchanged(current);
  if (current.status != kErasing) return refused(current, "its erasure has not begun");
  return moved(current, kErased);
}

LifeCycleStep set_hold(LifeCycle current, bool hold) {
  if (current.legal_hold == hold) return unchanged(current);
  // A hold that cannot keep anything any more must not look as if it did.
  if (hold && current.status == kErasing) return refused(current, kBeingErased);
  if (hold && current.status == kErased) return refused(current, kGone);
  current.legal_hold = hold;
  return {.outcome = StepOutcome::kMoved, .next = current, .reason = {}};
}

}  // namespace

std::string_view to_string(TenantCommand command) {
  return std::ranges::find(kCommandNames, command, &CommandName::command)->name;
}

Result<TenantCommand> parse_tenant_command(std::string_view text) {
  const auto found = std::ranges::find(kCommandNames, text, &CommandName::name);
  if (found == kCommandNames.end())
    return fail(ErrorKind::kInvalid, "{}: no such command of a tenant", text);
  return found->command;
}

bool is_for_operators(TenantCommand command) {
  return std::ranges::find(kCommandNames, command, &CommandName::command)->is_for_operators;
}

LifeCycleStep step(const LifeCycle& current, TenantCommand command, ErasureGuard guard) {
  switch (command) {
    case TenantCommand::kProvision:
      return provision(current);
    case TenantCommand::kActivate:
      return activate(current);
    case TenantCommand::kRestrict:
      return to_service(current, kReadOnly);
    case TenantCommand::kSuspend:
      return to_service(current, kSuspended);
    case TenantCommand::kResume:
      return to_service(current, kActive);
    case TenantCommand::kOffboard:
      return offboard(current);
    case TenantCommand::kRestore:
      return restore(current);
    case TenantCommand::kErase:
      return erase(current, guard);
    case TenantCommand::kFinishErasure:
      return finish_erasure(current);
    case TenantCommand::kHold:
      return set_hold(current, true);
    case TenantCommand::kRelease:
      return set_hold(current, false);
  }
  return refused(current, "there is no such command");
}

}  // namespace partywall
