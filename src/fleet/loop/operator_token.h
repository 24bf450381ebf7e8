#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace partywall::fleet {

// What an operator shows to change the fleet: in a private file of its directory, so that whoever
// may read that may also scale. Made where there is none.
Result<Secret> open_operator_token(const std::string& directory, Random& random);
// kNotFound: no node has used this directory yet.
Result<Secret> read_operator_token(const std::string& directory);

}  // namespace partywall::fleet
