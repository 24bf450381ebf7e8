#pragma once

#include <optional>
#include <string>

#include "fleet/loop/read_fleet.h"
#include "store/directory_loader.h"

namespace partywall::cli {

// Reads a platform file once or over and over, and prints what is wrong with it on standard error.
class PlatformLoader {
 public:
  explicit PlatformLoader(const std::string& path);
  PlatformLoader(const PlatformLoader&) = delete;
  PlatformLoader& operator=(const PlatformLoader&) = delete;

  // Nothing if the file has errors.
  std::optional<store::DirectoryLoader::Loaded> load();
  // The section `fleet` of what was loaded; without pools if there is none, nothing if it has
  // errors.
  std::optional<fleet::FleetSettings> read_fleet(const store::DirectoryLoader::Loaded& loaded);
  Result<> reload(DirectoryFeed& feed) { return loader_.reload(feed); }

 private:
  std::string path_;
  store::DiskFileLoader files_;
  store::DirectoryLoader loader_;
};

}  // namespace partywall::cli
