#pragma once

#include <map>
#include <string>

#include "control/engines.h"

namespace partywall::control {

// The Redis of each cell, by the administrator that the cell names.
class RedisEngines final : public Engines {
 public:
  Result<> provision_cache(store::Session& session, const store::CellRecord& cell) override;
  Result<> provision_tenant(store::Session& session, const store::CellRecord& cell,
                            const store::TenantRecord& tenant) override;

 private:
  // The version of each cell whose Redis this process has made ready as a whole: only then is a
  // tenant's own user all that is missing.
  std::map<std::string, uint64_t> ready_;
};

}  // namespace partywall::control
