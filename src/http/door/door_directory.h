#pragma once

#include <memory>

#include "base/result.h"
#include "http/door/worker_snapshot.h"
#include "identity/issuer_verifier.h"

namespace partywall::http {

// Makes each directory ready for requests. One thread at a time.
class DoorDirectories {
 public:
  // Fails on a key set that cannot be used.
  Result<std::shared_ptr<const DoorDirectory>> make(DirectoryRef directory);

 private:
  IssuerVerifiers verifiers_;
};

}  // namespace partywall::http
