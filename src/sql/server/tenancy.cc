#include "sql/server/tenancy.h"

namespace partywall::sql {

TenancyState next_tenancy_state(TenancyState state, TenancyEvent event) {
  using enum TenancyState;
  using enum TenancyEvent;
  switch (state) {
    case kClean:
      if (event == kEnterSent) return kEntering;
      if (event == kUsedWithoutTenant) return kBound;
      if (event == kSoil) return kSoiled;
      if (event == kResetSent) return kResetting;
      break;
    case kEntering:
      if (event == kEntered) return kBound;
      break;
    case kBound:
      if (event == kSoil) return kSoiled;
      if (event == kResetSent) return kResetting;
      break;
    case kSoiled:
      if (event == kSoil) return kSoiled;
      if (event == kResetSent) return kResetting;
      break;
    case kResetting:
      if (event == kResetDone) return kClean;
      break;
    case kBroken:
      break;
  }
  return kBroken;
}

std::string_view to_string(TenancyState state) {
  switch (state) {
    case TenancyState::kClean:
      return "clean";
    case TenancyState::kEntering:
      return "entering";
    case TenancyState::kBound:
      return "bound";
    case TenancyState::kSoiled:
      return "soiled";
    case TenancyState::kResetting:
      return "resetting";
    case TenancyState::kBroken:
      return "broken";
  }
  return "broken";
}

}  // namespace partywall::sql
