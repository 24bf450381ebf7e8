#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/yaml_map.h"
#include "store/control_store_options.h"
#include "store/file_loader.h"
#include "store/node_settings.h"
#include "tenancy/directory.h"

// The platform file (platform.yaml): everything that a node is told.
// docs/reference/platform-file.md explains it and is checked against describe_platform_file().
namespace partywall::store {

struct PlatformFile {
  NodeSettings node;
  DirectoryData directory;  // version 0, tenants without numbers: see DirectoryLoader
  std::optional<ControlStoreOptions> control_store;  // given: the directory is there
  std::optional<YamlNode> fleet;                     // read by fleet/loop/read_fleet.h
};

// Reads the text of a platform file and, through `files`, the key and password files that it names.
// Everything that is wrong is reported; the result is nothing if any of it is an error.
std::optional<PlatformFile> read_platform_file(std::string_view text, FileLoader& files,
                                               Diagnostics& diagnostics);

// The same for the platform file that `files` knows as `name`; also warns where others may change
// it, or read it although it holds verifiers.
std::optional<PlatformFile> load_platform_file(std::string_view name, FileLoader& files,
                                               Diagnostics& diagnostics);

// Every key that can be in a platform file, in the order of the reference.
std::vector<KeyDescription> describe_platform_file();

}  // namespace partywall::store
