#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "engines/postgres.h"
#include "migrate/schema/catalog.h"

namespace partywall::migrate {

// Where a tenant's own sequences get to.
enum class SequenceMove : uint8_t {
  kExactly,  // where the source's are
  kForward,  // there if that is ahead: to be done again and again while the source is in use
};

// Makes the tenant's sequences go on where the source's are. Those in `shared`, which all tenants
// draw from, are only moved forward, and by their owner: while one is, nobody draws from it, so
// that no number that somebody got meanwhile comes twice. kTimeout if a transaction that has drawn
// from one stays open. Safe to repeat.
Result<> continue_sequences(postgres::Connection& source, postgres::Connection& target,
                            const Uuid& tenant, const std::vector<Sequence>& sequences,
                            const std::set<std::string>& shared, SequenceMove move);

}  // namespace partywall::migrate
