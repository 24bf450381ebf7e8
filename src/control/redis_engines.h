#pragma once

#include "control/engines.h"

namespace partywall::control {

// The Redis of each cell, by the administrator that the cell names.
class RedisEngines final : public Engines {
 public:
  Result<> provision_cache(store::Session& session, const Cell& cell) override;
};

}  // namespace partywall::control
