#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/yaml_map.h"
#include "store/control/control_store.h"
#include "store/file_loader.h"
#include "store/node_settings.h"
#include "tenancy/access.h"

// What `partywall control` is told: where its store is, and where the admin API listens.
namespace partywall::store {

struct ApiOptions {
  ListenSettings listen{.endpoint = {"127.0.0.1", 9190}, .tls = std::nullopt};
  std::vector<Issuer> issuers;  // of tokens for people; `tenant_claim` is the claim with the role
  Duration grace_period = hours(24 * 30);  // from offboarding to the first possible erasure
  uint32_t cache_databases = 1'024;        // of one Redis
  uint32_t calls_per_minute = 1'200;       // of one principal
};

struct OperationOptions {
  bool run = true;
  Duration lease = seconds(10);
};

struct ControlFile {
  std::optional<ControlStoreSettings> store;  // set unless there were errors
  ApiOptions api;
  OperationOptions operations;
};

// nullopt: there were errors, all of them are in `diagnostics`.
std::optional<ControlFile> read_control_file(std::string_view text, FileLoader& files,
                                             Diagnostics& diagnostics);
std::optional<ControlFile> load_control_file(std::string_view name, FileLoader& files,
                                             Diagnostics& diagnostics);

}  // namespace partywall::store
