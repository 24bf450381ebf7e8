#pragma once

#include <cstdint>

// Sanitizers make a test ten times as slow. What a test tries at random, or counts, it tries less
// often under them: the optimised build does all of it (scripts/test --long
// units), and the sanitizers see the same code.
namespace partywall {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

constexpr uint64_t rounds(uint64_t of_release) { return kSanitized ? of_release / 5 : of_release; }

}  // namespace partywall
