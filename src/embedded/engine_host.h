#pragma once

#include <functional>

#include "base/time.h"
#include "embedded/data_directory.h"
#include "embedded/engine_user.h"
#include "embedded/secret_store.h"
#include "fleet/provider.h"

namespace partywall::embedded {

// What an engine needs to be run here. Engines are instances of the process provider like any
// other: started again when they end, found again after a crash of ours.
struct EngineHost {
  const DataDirectory& directory;
  const EngineUser& user;
  SecretStore& secrets;
  fleet::Provider& provider;
};

// The embedded stack has no elections: its lock on the data folder makes it the one leader.
inline constexpr fleet::FencingNumber kOnlyLeader(1);

// The port at which the group's one instance listens already, or else a free one.
Result<uint16_t> engine_port(fleet::Provider& provider, const fleet::GroupName& group);

// Runs one instance of the spec and waits until `is_ready` says so. An instance that ends
// meanwhile, or is not ready after a minute, is a failure with the end of its log.
Result<> run_engine(const EngineHost& host, const fleet::GroupName& group,
                    const fleet::InstanceSpec& spec, const std::function<bool()>& is_ready);

}  // namespace partywall::embedded
