#include "tenancy/cache_scripts.h"

namespace partywall {

std::string_view to_string(CacheScripts scripts) {
  switch (scripts) {
    case CacheScripts::kAny:
      return "any";
    case CacheScripts::kFunctions:
      return "functions";
    case CacheScripts::kNone:
      return "none";
  }
  return "none";
}

Result<CacheScripts> parse_cache_scripts(std::string_view text) {
  for (const CacheScripts one :
       {CacheScripts::kAny, CacheScripts::kFunctions, CacheScripts::kNone}) {
    if (text == to_string(one)) return one;
  }
  return fail(ErrorKind::kInvalid, "must be any, functions or none");
}

}  // namespace partywall
