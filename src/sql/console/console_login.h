#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address_block.h"

namespace partywall::sql {

// The database name under which the console answers, for users of the console. For anybody else it
// is a name like any other.
inline constexpr std::string_view kConsoleDatabase = "partywall";

enum class ConsoleRights : uint8_t {
  kLook,     // SHOW
  kOperate,  // PAUSE, KILL and so on as well
};

// An operator of this node. The console is not a tenant's: such a login reaches no database.
struct ConsoleLogin {
  std::string user;
  ConsoleRights rights = ConsoleRights::kLook;
  std::string verifier;                 // as SqlLogin's
  std::vector<AddressBlock> addresses;  // where it may come from
};

}  // namespace partywall::sql
