#pragma once

#include "sql/statement.h"
#include "sql/token_stream.h"

namespace partywall::sql {

// Behind "SELECT [pg_catalog.]set_config(": name, value, is_local) [::text] [[AS] alias], and the
// end. Makes the statement kSelectSetConfig if that is all there is, kUnclearTenantSetting if it
// names the tenant setting but is not understood, kSet if it names another one, and leaves it alone
// otherwise.
void parse_set_config(TokenStream& tokens, Statement& statement);

}  // namespace partywall::sql
