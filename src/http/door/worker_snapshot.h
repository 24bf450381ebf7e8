#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/metrics.h"
#include "identity/jwt.h"
#include "tenancy/directory.h"

namespace partywall::http {

// One directory made ready for requests; the same for all workers.
struct DoorDirectory {
  DirectoryRef directory;
  std::shared_ptr<const JwtVerifier> verifier;
  uint64_t key_generation = 0;  // another number for each set of issuers and keys
};

// The same for one worker: an object of its own, so that counting references to it is no traffic
// between processors. A request holds it until it has ended.
struct WorkerSnapshot {
  std::shared_ptr<const DoorDirectory> door;
  std::vector<Histogram*> tier_durations;     // as directory().tiers()
  Histogram* untenanted_durations = nullptr;  // of requests without a tenant

  [[nodiscard]] const Directory& directory() const { return *door->directory; }
};

}  // namespace partywall::http
