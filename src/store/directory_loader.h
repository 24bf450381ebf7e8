#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "base/yaml.h"
#include "store/control_store_options.h"
#include "store/file_loader.h"
#include "store/node_settings.h"
#include "tenancy/directory_feed.h"

namespace partywall::store {

// The platform file of one process, over all its reloads: tenants keep their numbers, versions only
// grow. Not thread-safe; main() owns it.
class DirectoryLoader {
 public:
  struct Loaded {
    NodeSettings node;
    DirectoryRef directory;  // empty where the control store has it
    std::optional<ControlStoreOptions> control_store;
    std::optional<YamlNode> fleet;  // see PlatformFile
  };

  // `files` outlives the loader and knows the platform file as `name`.
  DirectoryLoader(FileLoader& files, std::string name) : files_(files), name_(std::move(name)) {}

  // The first reading. Nothing if the file has errors; diagnostics() has them, and warnings.
  std::optional<Loaded> load();

  // Reads the file again and hands the new directory to the feed. A file with errors changes
  // nothing. All findings are logged. What the providers put into the directory stays; node
  // settings that differ are logged, since they need a restart.
  Result<> reload(DirectoryFeed& feed);

  // Of the last reading.
  [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  Result<DirectoryRef> build(DirectoryData data, uint64_t version);
  void log_findings() const;

  FileLoader& files_;
  std::string name_;
  Diagnostics diagnostics_;
  TenantNumbers numbers_;
  NodeSettings node_;  // as the process was started with
};

}  // namespace partywall::store
