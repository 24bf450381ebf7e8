#pragma once

#include "admin/router.h"
#include "base/secret.h"
#include "fleet/loop/fleet_loop.h"

namespace partywall::admin {

// What an operator sees of the pools whose instances this node keeps, and may do to them:
//
//   GET  /fleet                          the pools with their instances
//   GET  /fleet/{cell}/{pool}/events     what was done, the youngest first
//   POST /fleet/{cell}/{pool}/scale      {"count": 4}
//   POST /fleet/{cell}/{pool}/pause      no more decisions on the number of instances …
//   POST /fleet/{cell}/{pool}/resume     … from now on again
//
// Who changes anything shows `operator_token` as a bearer token: whoever reaches the admin port, an
// application on the same machine for one, may look, not more. Both outlive the router.
void add_fleet_handlers(Router& router, fleet::FleetLoop& loop, const Secret& operator_token);

}  // namespace partywall::admin
