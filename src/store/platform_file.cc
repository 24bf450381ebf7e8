#include "store/platform_file.h"

#include "store/platform_sections.h"

namespace partywall::store {
namespace {

// What the control store has must not be said twice.
void refuse_directory(YamlMap& file) {
  for (const std::string_view section :
       {"identity", "tiers", "cells", "routes", "tenants", "logins"}) {
    file.refuse(section, fmt::format("'{}' is kept in the control store; remove it here "
                                     "(`partywall store import` brings a platform file there)",
                                     section));
  }
}

void read_whole_file(YamlMap& file, FileLoader& files, PlatformFile& platform) {
  read_version(file);
  DirectoryData& data = platform.directory;
  read_node(file, files, platform.node);
  read_control_store(file, files, platform.control_store);
  file.set_aside("fleet", platform.fleet,
                 "pools whose instances this node starts and ends: docs/fleet.md has its keys");
  if (platform.control_store && !file.describes()) return refuse_directory(file);
  read_identity(file, files, data);
  read_tiers(file, data.tiers);
  read_cells(file, files, data.cells);
  read_cluster(file, files, data.cells, platform.node);
  read_routes(file, data);
  read_tenants(file, files, data);
  read_logins(file, files, data);
}

}  // namespace

std::optional<PlatformFile> read_platform_file(std::string_view text, FileLoader& files,
                                               Diagnostics& diagnostics) {
  const auto root = parse_yaml(text, diagnostics);
  if (!root) return std::nullopt;
  PlatformFile platform;
  read_yaml(*root, diagnostics, [&](YamlMap& file) { read_whole_file(file, files, platform); });
  if (diagnostics.has_errors()) return std::nullopt;
  // What the directory itself insists on is reported here, before anybody tries to use it.
  if (auto directory = Directory::build(platform.directory); !directory) {
    diagnostics.error({}, "{}", directory.error().message);
    return std::nullopt;
  }
  return platform;
}

std::optional<PlatformFile> load_platform_file(std::string_view name, FileLoader& files,
                                               Diagnostics& diagnostics) {
  const auto file = files.load(name);
  if (!file) {
    diagnostics.error({}, "{}", file.error().message);
    return std::nullopt;
  }
  if (file->writable_by_others) {
    diagnostics.warning({},
                        "others than its owner may write to this file, and so decide who every "
                        "tenant is; chmod go-w it");
  }
  if (file->readable_by_others && file->content.contains("SCRAM-SHA-256$")) {
    diagnostics.warning({},
                        "every user of this machine may read this file, which holds password "
                        "verifiers; chmod o-r it");
  }
  return read_platform_file(file->content, files, diagnostics);
}

std::vector<KeyDescription> describe_platform_file() {
  NoFiles files;
  PlatformFile platform;
  return describe_yaml([&](YamlMap& file) { read_whole_file(file, files, platform); });
}

}  // namespace partywall::store
