#include "migrate/apply/stream_state.h"

namespace partywall::migrate {
namespace {

constexpr std::string_view kAnew =
    "Changes are lost between them. Begin anew: partywall migrate forget, then copy the rows again";

}  // namespace

Result<> check_versions(int source, int target) {
  if (source < kOldestStreamSource) {
    return fail(ErrorKind::kConflict,
                "the source is PostgreSQL {}, and changes can be followed from {} on. Copy the "
                "rows with partywall migrate run while nobody writes, or upgrade it",
                source / 10'000, kOldestStreamSource / 10'000);
  }
  if (target < kOldestStreamTarget) {
    return fail(ErrorKind::kConflict,
                "the target is PostgreSQL {}, and changes can be applied from {} on. Upgrade it",
                target / 10'000, kOldestStreamTarget / 10'000);
  }
  return {};
}

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
  if (state.slot->is_lost) {
    return fail(ErrorKind::kConflict,
                "the source has removed log that the replication slot {} still needed "
                "(max_slot_wal_keep_size). {}",
                name, kAnew);
  }
  // A slot sends nothing from before its confirmed place, wherever it is asked to begin.
  if (state.slot->confirmed > *state.progress) {
    return fail(ErrorKind::kConflict,
                "the source was told that the target has the stream {} up to {}, and the target "
                "remembers it up to {} only: it was restored, or has failed over to a standby that "
                "was behind. {}",
                name, to_string(state.slot->confirmed), to_string(*state.progress), kAnew);
  }
  return StreamStart::kResume;
}

}  // namespace partywall::migrate
