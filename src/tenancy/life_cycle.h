#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "tenancy/tenant.h"

// The life of a tenant, as a state machine without I/O:
//
//   requested → provisioning → active ⇄ read_only ⇄ suspended → offboarding → erasing → erased
//
// Every (status, command) pair has an answer. A command that is already fulfilled changes nothing
// and succeeds, so that each may be sent again after a lost answer. Placement and residency are no
// part of it; a legal hold stands beside the status and keeps the data from being erased.
namespace partywall {

enum class TenantCommand : uint8_t {
  kProvision,      // the control plane begins to make its place at each door
  kActivate,       // every door is ready
  kRestrict,       // reads only
  kSuspend,        // no door serves it; sessions are cut
  kResume,         // back to full service
  kOffboard,       // served no more; the grace period begins
  kRestore,        // the customer stays after all: suspended, until somebody resumes it
  kErase,          // the grace period is over: its data is destroyed
  kFinishErasure,  // nothing of it is left
  kHold,           // legal hold: nothing may be erased
  kRelease,        // the end of the hold
};

inline constexpr std::array kTenantCommands = {
    TenantCommand::kProvision, TenantCommand::kActivate, TenantCommand::kRestrict,
    TenantCommand::kSuspend,   TenantCommand::kResume,   TenantCommand::kOffboard,
    TenantCommand::kRestore,   TenantCommand::kErase,    TenantCommand::kFinishErasure,
    TenantCommand::kHold,      TenantCommand::kRelease};

inline constexpr std::array kTenantStatuses = {
    TenantStatus::kRequested, TenantStatus::kProvisioning, TenantStatus::kActive,
    TenantStatus::kReadOnly,  TenantStatus::kSuspended,    TenantStatus::kOffboarding,
    TenantStatus::kErasing,   TenantStatus::kErased};

std::string_view to_string(TenantCommand command);
Result<TenantCommand> parse_tenant_command(std::string_view text);

// Commands that people and programs may send; the others are the control plane's own steps.
bool is_for_operators(TenantCommand command);

struct LifeCycle {
  TenantStatus status = TenantStatus::kRequested;
  bool legal_hold = false;

  bool operator==(const LifeCycle&) const = default;
};

enum class StepOutcome : uint8_t { kMoved, kUnchanged, kRefused };

struct LifeCycleStep {
  StepOutcome outcome = StepOutcome::kRefused;
  LifeCycle next;           // what it is now; what it was where nothing changed
  std::string_view reason;  // of a refusal: why, and what to do; ends a sentence about the tenant
};

// What only erasing needs to know.
struct ErasureGuard {
  bool is_grace_over = false;
};

LifeCycleStep step(const LifeCycle& current, TenantCommand command, ErasureGuard guard = {});

}  // namespace partywall
