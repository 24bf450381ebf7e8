#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "identity/sealing_key.h"
#include "store/control/directory_documents.h"

// A node's last directory on disk, so that it can start while the control store is down. The whole
// file is sealed with the node key: encrypted, and refused if a byte of it was changed, cut off or
// made with another key. docs/control-plane.md has the format.
namespace partywall::store {

struct SnapshotState {
  StoreVersion version;
  WallTime confirmed_at;  // when the store was last seen to have nothing newer
};

struct Snapshot {
  SnapshotState state;
  DocumentMap documents;
};

[[nodiscard]] std::string encode_snapshot(const SnapshotState& state, const DocumentMap& documents,
                                          const SealingKey& key, Random& random);
// kDenied for what was changed or sealed with another key, kInvalid for another format.
Result<Snapshot> decode_snapshot(std::string_view file, const SealingKey& key);

// Replaces the file as a whole; mode 0600.
Result<> write_snapshot(const std::string& path, const SnapshotState& state,
                        const DocumentMap& documents, const SealingKey& key, Random& random);
// kNotFound if there is none.
Result<Snapshot> read_snapshot(const std::string& path, const SealingKey& key);

}  // namespace partywall::store
