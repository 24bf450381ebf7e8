#pragma once

#include <map>
#include <string>

#include "identity/sealing_key.h"
#include "store/control/directory_documents.h"
#include "store/control/records.h"

namespace partywall::store {

// The directory of one state of the store, in memory: its documents and what was read of them. A
// change of one tenant reads one document; only putting the directory together goes over all.
class DirectoryImage {
 public:
  // `key` outlives the image.
  explicit DirectoryImage(const SealingKey& key) : key_(key) {}

  // All of it, or on a failure nothing: a document that this release cannot read names itself.
  Result<> apply(const DirectoryDelta& delta);

  [[nodiscard]] const StoreVersion& version() const { return version_; }
  [[nodiscard]] const DocumentMap& documents() const { return documents_; }

  // What Directory::build takes; its own version and the tenants' numbers are left to the caller.
  // Tenants without a placement are not in it: no door could serve them.
  [[nodiscard]] Result<DirectoryData> directory_data() const;

 private:
  // What was read of the documents, by key.
  struct Records {
    std::map<std::string, TierRecord> tiers;
    std::map<std::string, CellRecord> cells;
    std::map<std::string, TenantRecord> tenants;
    std::map<std::string, RouteRecord> routes;
    std::map<std::string, IssuerRecord> issuers;
    std::map<std::string, ContextKeyRecord> context_keys;
    std::map<std::string, SqlLoginRecord> sql_logins;
    std::map<std::string, CacheLoginRecord> cache_logins;

    Result<> read(const DocumentChange& change, const SealingKey& key);
    void remove(const DocumentChange& change);
    // The records of the keys that the delta names come from `delta_records`.
    void take(Records&& delta_records);
  };

  const SealingKey& key_;
  StoreVersion version_;
  DocumentMap documents_;
  Records records_;
};

}  // namespace partywall::store
