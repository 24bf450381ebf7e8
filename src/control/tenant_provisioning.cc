#include "control/tenant_provisioning.h"

#include "store/control/cells.h"
#include "store/control/tenants.h"
#include "tenancy/life_cycle.h"

namespace partywall::control {
namespace {

MachineStep failed(std::string message) {
  return {.status = store::OperationStatus::kFailed,
          .next_step = {},
          .message = std::move(message),
          .write = {}};
}

// Gives the tenant the command within the transaction that saves the step, so that it acts on what
// is there then, whatever was there when the step began.
std::function<Result<>(store::Change&)> command_to(TenantId id, TenantCommand command,
                                                   std::string event) {
  return [id, command, event](store::Change& change) -> Result<> {
    const auto tenant = store::find_tenant(change, id);
    if (!tenant) return std::unexpected(tenant.error());
    const LifeCycleStep moved =
        step({.status = tenant->status, .legal_hold = tenant->legal_hold}, command);
    if (moved.outcome != StepOutcome::kMoved) return {};
    return store::set_tenant_state(change, id, moved.next.status, moved.next.legal_hold,
                                   tenant->grace_ends_at, event);
  };
}

}  // namespace

Result<MachineStep> TenantProvisioning::run_step(store::Session& session,
                                                 const store::Operation& operation) {
  if (!operation.tenant) return failed("the operation names no tenant");
  const TenantId id = *operation.tenant;
  if (operation.step == "start") {
    return MachineStep{.next_step = "engines",
                       .message = {},
                       .write = command_to(id, TenantCommand::kProvision, "tenant.provisioning")};
  }
  if (operation.step == "engines") return provision_engines(session, id);
  if (operation.step == "activate") {
    return MachineStep{.status = store::OperationStatus::kDone,
                       .next_step = {},
                       .message = {},
                       .write = command_to(id, TenantCommand::kActivate, "tenant.activated")};
  }
  return failed("there is no step '" + operation.step + "'");
}

Result<MachineStep> TenantProvisioning::provision_engines(store::Session& session,
                                                          TenantId tenant) {
  const auto record = store::find_tenant(session, tenant);
  if (!record && record.error().kind == ErrorKind::kNotFound)
    return failed("the tenant is there no more");
  if (!record) return std::unexpected(record.error());
  if (!record->placement) return failed("the tenant is placed in no cell");
  const auto cell = store::find_cell(session, record->placement->cell);
  if (!cell) return std::unexpected(cell.error());
  if (auto provisioned = engines_.provision_tenant(session, *cell, *record); !provisioned)
    return std::unexpected(provisioned.error());
  return MachineStep{.next_step = "activate", .message = {}, .write = {}};
}

}  // namespace partywall::control
