#pragma once

#include "store/control/session.h"
#include "tenancy/cell.h"

namespace partywall::control {

// The engines behind the doors, as far as a tenant needs a place of its own in them. Doing it again
// changes nothing. The sql door needs nothing per tenant: rows are told apart by the register.
class Engines {
 public:
  virtual ~Engines() = default;
  // Gives every tenant that is placed in the cell's Redis its user there, and takes those of
  // tenants away that are not.
  virtual Result<> provision_cache(store::Session& session, const Cell& cell) = 0;
};

}  // namespace partywall::control
