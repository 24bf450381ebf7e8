#pragma once

#include <string>

#include "sql/settings.h"
#include "sql/wire/startup.h"

namespace partywall::sql {

// What a client is told when it is in: AuthenticationOk up to the first ReadyForQuery.
void append_welcome(std::string& out, const Settings& told, const CancelRequest& key);

}  // namespace partywall::sql
