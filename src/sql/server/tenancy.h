#pragma once

#include <cstdint>
#include <string_view>

#include "tenancy/tenant.h"

namespace partywall::sql {

// Whose a server connection is. The register of the session (docs/tenant-register.md) is empty in
// kClean and nowhere else; only a connection in kClean may enter a tenant, because entering over a
// register that is not empty could fail and leave the previous tenant in it.
enum class TenancyState : uint8_t {
  kClean,      // register empty, nothing left of anybody
  kEntering,   // `enter` was sent, its answer has not come
  kBound,      // used by one tenant (or by clients without one)
  kSoiled,     // holds what even its own tenant's other clients must not see: reset before any use
  kResetting,  // DISCARD ALL was sent
  kBroken,     // something unexpected happened: close it
};
inline constexpr int kTenancyStates = 6;

enum class TenancyEvent : uint8_t {
  kEnterSent,
  kEntered,
  kEnterFailed,
  kUsedWithoutTenant,
  kSoil,
  kResetSent,
  kResetDone,
  kResetFailed,
  kViolation,  // the server said what it must not
};
inline constexpr int kTenancyEvents = 9;

// Total: what must not happen leads to kBroken.
[[nodiscard]] TenancyState next_tenancy_state(TenancyState state, TenancyEvent event);
[[nodiscard]] std::string_view to_string(TenancyState state);

class ServerTenancy {
 public:
  [[nodiscard]] TenancyState state() const { return state_; }
  // In kEntering and kBound: the tenant; the nil id stands for clients without one.
  [[nodiscard]] TenantId tenant() const { return tenant_; }
  [[nodiscard]] bool is_bound_to(TenantId tenant) const {
    return state_ == TenancyState::kBound && tenant_ == tenant;
  }

  void enter_sent(TenantId tenant) {
    apply(TenancyEvent::kEnterSent);
    tenant_ = tenant;
  }
  void used_without_tenant() {
    apply(TenancyEvent::kUsedWithoutTenant);
    tenant_ = TenantId();
  }
  void apply(TenancyEvent event) { state_ = next_tenancy_state(state_, event); }

 private:
  TenancyState state_ = TenancyState::kClean;
  TenantId tenant_;
};

}  // namespace partywall::sql
