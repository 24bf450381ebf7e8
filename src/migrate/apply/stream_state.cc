#include "migrate/apply/stream_state.h"

namespace partywall::migrate {
namespace {

constexpr std::string_view kAnew =
    "Changes are lost between them. Begin anew: partywall migrate forget, then copy the rows again";

}  // namespace

Result<StreamStart> decide_start(const StreamState& state, const std::string& name) {
  const bool has_applied = state.progress && *state.progress > Lsn{};
  if (!state.slot) {
    if (!has_applied) return StreamStart::kNew;
    return fail(ErrorKind::kConflict,
                "the target has applied the stream {} up to {}, and the source's replication slot "
                "of that name is gone. {}",
                name, to_string(*state.progress), kAnew);
  }
  if (!state.progress) {
    return fail(ErrorKind::kConflict,
                "the source has a replication slot {}, of which the target knows nothing: it was "
                "made for another target, or the target was replaced. {}",
                name, kAnew);
  }
  if (!has_applied) return StreamStart::kInterrupted;
  if (!state.slot->is_lost) return StreamStart::kResume;
  return fail(ErrorKind::kConflict,
              "the source has removed log that the replication slot {} still needed "
              "(max_slot_wal_keep_size). {}",
              name, kAnew);
}

}  // namespace partywall::migrate
