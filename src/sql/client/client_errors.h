#pragma once

#include <string_view>

#include "sql/wire/sql_error.h"

// What the sql door says to clients whose statement it refuses.
namespace partywall::sql::errors {

SqlError no_tenant();
SqlError other_tenant_in_transaction();
SqlError tenant_is_fixed();
SqlError unclear_tenant_setting();
SqlError tenant_set_after_other_statements();
SqlError session_state_without_session_tenant();
SqlError pinned_to_other_tenant();
SqlError chain_with_tenant_of_transaction();
SqlError in_failed_transaction();
SqlError unknown_statement(std::string_view name);
SqlError duplicate_statement(std::string_view name);
SqlError too_many_statements(size_t limit);
SqlError statement_too_long(size_t limit_bytes);
SqlError unknown_portal(std::string_view name);
SqlError invalid_savepoint();
SqlError chain_outside_transaction(std::string_view command);
SqlError only_in_transaction(std::string_view command);
SqlError already_in_transaction();
SqlError no_transaction();
SqlError set_local_outside_transaction();
SqlError binding_failed();
SqlError server_lost();
SqlError pinned_server_lost();

}  // namespace partywall::sql::errors
