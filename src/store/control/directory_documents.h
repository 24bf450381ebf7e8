#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/control/session.h"

// The directory as it travels: a JSON document for each thing, by kind and key. The same text comes
// out of the store, goes into a node's snapshot on disk, and is read into records.
namespace partywall::store {

// Which state of which store. Versions of one incarnation only grow; those of another cannot be
// compared with them.
struct StoreVersion {
  std::string incarnation;
  uint64_t version = 0;

  bool operator==(const StoreVersion&) const = default;
};

struct DocumentChange {
  std::string kind;                     // "tenant"
  std::string key;                      // its UUID
  std::optional<std::string> document;  // none: it is there no more
};

enum class Extent : uint8_t {
  kWhole,    // everything; what is not in it is not there
  kChanges,  // what has changed since an earlier version
};

struct DirectoryDelta {
  Extent extent = Extent::kWhole;
  StoreVersion version;  // that it leads to
  std::vector<DocumentChange> documents;
};

// By kind, then key.
using DocumentMap = std::map<std::string, std::map<std::string, std::string>>;
void merge(const DirectoryDelta& delta, DocumentMap& documents);

// Everything, as of one moment.
Result<DirectoryDelta> read_whole_directory(Session& session);
// What has changed since then, as of one moment; nothing if nothing has. The whole, where the store
// does not remember so far back or is another one. kConflict where the store is at an older version
// than `since`: it was put back to an earlier state, and nobody has said that this is meant.
Result<std::optional<DirectoryDelta>> read_directory_changes(Session& session,
                                                             const StoreVersion& since);
Result<StoreVersion> read_store_version(Session& session);

// After the database was put back to an earlier state on purpose: its versions cannot be compared
// with those before. Returns the new one, which is above the highest that anybody has seen.
Result<uint64_t> start_new_incarnation(Change& change, uint64_t above);

// Drops what is older than so many versions from the feed; who is further behind reads everything.
Result<> trim_changes(Change& change, uint64_t versions_to_keep);

}  // namespace partywall::store
