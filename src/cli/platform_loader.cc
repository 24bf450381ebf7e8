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

}  // namespace partywall::cli
