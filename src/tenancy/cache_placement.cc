#include "tenancy/cache_placement.h"

namespace partywall {

std::string_view to_string(CachePlacement placement) {
  return placement == CachePlacement::kSpread ? "spread" : "tagged";
}

Result<CachePlacement> parse_cache_placement(std::string_view text) {
  for (const CachePlacement placement : {CachePlacement::kTagged, CachePlacement::kSpread}) {
    if (text == to_string(placement)) return placement;
  }
  return fail(ErrorKind::kInvalid, "'{}': a tenant's keys are tagged or spread", text);
}

}  // namespace partywall
