#pragma once

#include <string_view>

#include "base/time.h"
#include "sql/wire/sql_error.h"

// What the sql door says to clients whose statement it refuses.
namespace partywall::sql::errors {

SqlError no_tenant();
SqlError other_tenant_in_transaction();
SqlError tenant_is_fixed();
SqlError unclear_tenant_setting();
SqlError not_a_boolean();
SqlError tenant_set_after_other_statements();
SqlError statement_after_transaction_of_tenant();
SqlError role_is_the_doors();
SqlError session_state_without_session_tenant();
SqlError pinned_to_other_tenant();
SqlError chain_with_tenant_of_transaction();
SqlError in_failed_transaction();
SqlError unknown_statement(std::string_view name);
SqlError duplicate_statement(std::string_view name);
SqlError too_many_statements(size_t limit);
SqlError too_many_names(size_t limit);
SqlError too_much_prepared_text(size_t limit_bytes);
SqlError statement_too_long(size_t limit_bytes);
SqlError message_too_long(uint64_t limit_bytes);
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
// Server connections.
SqlError queue_full();
SqlError queue_timeout(Duration waited);
SqlError cannot_connect(std::string_view cell);
SqlError shutting_down();
SqlError ended_by_operator();
SqlError pause_cancelled();
SqlError cancelled_while_waiting();
SqlError cancelled_by_client();
SqlError copy_failed_by_client(std::string_view why);
SqlError statement_timeout(Duration limit);
SqlError time_used_up(std::string_view slug, Duration granted, Duration retry_after);
SqlError idle_in_transaction_timeout(Duration limit);
SqlError transaction_timeout(Duration limit);
// Logging in.
SqlError login_failed(std::string_view user);
SqlError login_timeout();
SqlError startup_parameter_refused(std::string_view name);
SqlError startup_value_refused(std::string_view name);
SqlError unknown_database(std::string_view name);
SqlError address_refused(std::string_view user);
SqlError unknown_tenant();
SqlError tenant_not_served(std::string_view slug);
SqlError tenant_elsewhere(std::string_view slug, std::string_view cell);
SqlError bad_token(std::string_view why);
SqlError not_a_context();
SqlError replication_refused();
SqlError unsupported_protocol();
SqlError tls_required();
SqlError too_many_clients();
SqlError too_many_clients_of(std::string_view slug, uint32_t limit);

}  // namespace partywall::sql::errors
