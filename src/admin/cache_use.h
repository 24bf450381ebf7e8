#pragma once

#include "admin/router.h"
#include "cache/door.h"

namespace partywall::admin {

// GET /cache/tenants/{tenant}: what this node knows of a tenant's cache.
void add_cache_handlers(Router& router, const cache::Door& door);

}  // namespace partywall::admin
