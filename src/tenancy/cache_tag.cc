#include "tenancy/cache_tag.h"

#include <string_view>

namespace partywall {

std::string short_cache_tag(uint32_t number) {
  // Without 0, 1, l and o, which people confuse.
  constexpr std::string_view kDigits = "abcdefghijkmnpqrstuvwxyz23456789";
  static_assert(kDigits.size() == 32);
  // Odd, so that no two products are equal modulo a power of two.
  constexpr uint32_t kSpread = 20'732'989;
  uint32_t rest = (number * kSpread) % kShortCacheTags;
  std::string tag(5, kDigits.front());
  for (char& digit : tag) {
    digit = kDigits[rest % kDigits.size()];
    rest /= kDigits.size();
  }
  return tag;
}

}  // namespace partywall
