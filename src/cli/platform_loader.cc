#include "cli/platform_loader.h"

#include <cstdio>

namespace partywall::cli {

PlatformLoader::PlatformLoader(const std::string& path)
    : path_(path),
      files_(store::DiskFileLoader::beside(path)),
      loader_(files_, store::file_name_of(path)) {}

std::optional<store::DirectoryLoader::Loaded> PlatformLoader::load() {
  auto loaded = loader_.load();
  for (const Diagnostic& one : loader_.diagnostics().items())
    fmt::print(stderr, "{}\n", to_string(one, path_));
  if (!loaded) fmt::print(stderr, "partywall: {} cannot be used\n", path_);
  return loaded;
}

std::optional<fleet::FleetSettings> PlatformLoader::read_fleet(
    const store::DirectoryLoader::Loaded& loaded) {
  if (!loaded.fleet) return fleet::FleetSettings();
  Diagnostics found;
  auto settings = fleet::read_fleet(
      *loaded.fleet, loaded.directory ? &loaded.directory->cells() : nullptr, files_, found);
  for (const Diagnostic& one : found.items()) fmt::print(stderr, "{}\n", to_string(one, path_));
  if (!settings) fmt::print(stderr, "partywall: {} cannot be used\n", path_);
  return settings;
}

}  // namespace partywall::cli
