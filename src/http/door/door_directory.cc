#include "http/door/door_directory.h"

#include <utility>

namespace partywall::http {

Result<std::shared_ptr<const DoorDirectory>> DoorDirectories::make(DirectoryRef directory) {
  if (!verifier_ || directory->issuers() != issuers_) {
    auto verifier = JwtVerifier::create(directory->issuers());
    if (!verifier) return std::unexpected(verifier.error());
    verifier_ = std::move(*verifier);
    issuers_ = directory->issuers();
    ++generation_;
  }
  auto door = std::make_shared<DoorDirectory>();
  door->directory = std::move(directory);
  door->verifier = verifier_;
  door->key_generation = generation_;
  return door;
}

}  // namespace partywall::http
