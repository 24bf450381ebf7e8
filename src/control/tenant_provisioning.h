#pragma once

#include "control/engines.h"
#include "control/operation_machine.h"
#include "tenancy/tenant.h"

namespace partywall::control {

// requested → provisioning → a place in the engines → active. A tenant that somebody suspended or
// offboarded meanwhile stays what it is.
class TenantProvisioning final : public OperationMachine {
 public:
  static constexpr std::string_view kKind = "tenant.provision";

  // `engines` outlives the machine.
  explicit TenantProvisioning(Engines& engines) : engines_(engines) {}

  [[nodiscard]] std::string_view kind() const override { return kKind; }
  [[nodiscard]] std::string_view first_step() const override { return "start"; }
  [[nodiscard]] int64_t steps() const override { return 3; }
  Result<MachineStep> run_step(store::Session& session, const store::Operation& operation) override;

 private:
  Result<MachineStep> provision_engines(store::Session& session, TenantId tenant);

  Engines& engines_;
};

}  // namespace partywall::control
