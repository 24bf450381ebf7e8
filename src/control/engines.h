#pragma once

#include "store/control/records.h"
#include "store/control/session.h"

namespace partywall::control {

// The engines behind the doors, as far as a tenant needs a place of its own in them. Doing it again
// changes nothing. The sql door needs nothing per tenant: rows are told apart by the register.
class Engines {
 public:
  virtual ~Engines() = default;
  // Gives every tenant that is placed in the cell's Redis its user there, and takes those of
  // tenants away that are not.
  virtual Result<> provision_cache(store::Session& session, const store::CellRecord& cell) = 0;
  // The same for one tenant that is placed in the cell: what it costs does not grow with the number
  // of those that are there.
  virtual Result<> provision_tenant(store::Session& session, const store::CellRecord& cell,
                                    const store::TenantRecord& tenant) = 0;
};

}  // namespace partywall::control
