#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "migrate/apply/lsn.h"

// Whether a stream can be, and begins or goes on: pure.
namespace partywall::migrate {

// As the server says its version: 150004 is 15.4.
inline constexpr int kOldestStreamSource = 130'000;
inline constexpr int kOldestStreamTarget = 150'000;  // GRANT SET ON PARAMETER

// kConflict: one of them is too old.
[[nodiscard]] Result<> check_versions(int source, int target);

// What is there of a stream.
struct StreamState {
  struct Slot {
    bool is_lost = false;  // the source has removed log that the stream still needed
    Lsn confirmed;         // the source was told that everything before it is in the target
    bool operator==(const Slot&) const = default;
  };
  std::optional<Slot> slot;     // in the source
  std::optional<Lsn> progress;  // of the origin in the target; 0: it has applied nothing
};

enum class StreamStart : uint8_t {
  kNew,          // make the slot
  kInterrupted,  // a slot was made, and its maker ended before anybody could rely on it: make it
                 // anew
  kResume,
};

// kConflict: slot and progress do not belong together, and to go on would lose changes. `name` is
// for the message.
[[nodiscard]] Result<StreamStart> decide_start(const StreamState& state, const std::string& name);

}  // namespace partywall::migrate
