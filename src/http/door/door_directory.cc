#include "http/door/door_directory.h"

#include <utility>

namespace partywall::http {

Result<std::shared_ptr<const DoorDirectory>> DoorDirectories::make(DirectoryRef directory) {
  auto current = verifiers_.of(directory->issuers());
  if (!current) return std::unexpected(current.error());
  auto door = std::make_shared<DoorDirectory>();
  door->directory = std::move(directory);
  door->verifier = std::move(current->verifier);
  door->key_generation = current->generation;
  return door;
}

}  // namespace partywall::http
