#include "store/control_store_options.h"

#include <unistd.h>

namespace partywall::store {

std::string host_name() {
  char name[256] = "node";
  (void)::gethostname(name, sizeof name - 1);
  return name;
}

Result<ControlStoreSettings> to_settings(const ControlStoreOptions& options) {
  auto key = SealingKey::create(options.node_key);
  if (!key) return std::unexpected(key.error());
  return ControlStoreSettings{.connection = options.connection, .node_key = *std::move(key)};
}

}  // namespace partywall::store
