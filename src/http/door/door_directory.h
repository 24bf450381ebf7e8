#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "http/door/worker_snapshot.h"

namespace partywall::http {

// Makes each directory ready for requests. Key sets are read again only when they changed, so that
// a change of a tenant does not throw away the tokens that were verified. One thread at a time.
class DoorDirectories {
 public:
  // Fails on a key set that cannot be used.
  Result<std::shared_ptr<const DoorDirectory>> make(DirectoryRef directory);

 private:
  std::vector<Issuer> issuers_;
  std::shared_ptr<const JwtVerifier> verifier_;
  uint64_t generation_ = 0;
};

}  // namespace partywall::http
