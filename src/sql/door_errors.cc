#include "sql/door_errors.h"

#include <fmt/format.h>

namespace partywall::sql::errors {

using namespace sqlstate;

SqlError no_tenant() {
  return {kInvalidAuthorization, "no tenant context: the statement was not executed",
          "Run SET LOCAL app.current_tenant = '<context>' first in the transaction, or log in as a "
          "tenant."};
}

SqlError other_tenant_in_transaction() {
  return {kActiveTransaction, "the transaction belongs to another tenant already",
          "End it with COMMIT or ROLLBACK before app.current_tenant is set to another tenant."};
}

SqlError tenant_is_fixed() {
  return {kInsufficientPrivilege,
          "this login is bound to its tenant and cannot act for another one",
          "Log in with an application login to choose the tenant per transaction."};
}

SqlError unclear_tenant_setting() {
  return {kFeatureNotSupported,
          "this way to set app.current_tenant is not understood: no tenant was set",
          "Write SET [LOCAL] app.current_tenant = '<context>', or SELECT "
          "set_config('app.current_tenant', $1, true)."};
}

SqlError tenant_set_after_other_statements() {
  return {
      kFeatureNotSupported,
      "app.current_tenant must be set by the first statement of a query with several statements",
      "Send it first, or as a query of its own."};
}

SqlError not_a_boolean() {
  return {kInvalidTextRepresentation, "the third argument of set_config is not a boolean",
          "Pass true for the transaction, false for the session."};
}

SqlError statement_after_transaction_of_tenant() {
  return {kFeatureNotSupported,
          "the transaction has ended whose tenant was set with SET LOCAL: what follows it in the "
          "same query or pipeline was not executed",
          "Send it as a query of its own (or behind a Sync), after a tenant has been set for it."};
}

SqlError role_is_the_doors() {
  return {kInsufficientPrivilege, "the role of this connection belongs to the sql door",
          "Passwords and settings of logins are the operator's; use SET for this session's."};
}

SqlError session_state_without_session_tenant() {
  return {kFeatureNotSupported,
          "session state cannot be kept while the tenant is set for the transaction only",
          "Use SET LOCAL, or set app.current_tenant for the session, or log in as the tenant."};
}

SqlError pinned_to_other_tenant() {
  return {kFeatureNotSupported,
          "session state of another tenant is kept for this client: the statement was not executed",
          "Run DISCARD ALL before the session is used for another tenant."};
}

SqlError chain_with_tenant_of_transaction() {
  return {kFeatureNotSupported,
          "AND CHAIN cannot begin a transaction after one whose tenant was set with SET LOCAL",
          "Use COMMIT or ROLLBACK, then BEGIN and SET LOCAL app.current_tenant."};
}

SqlError in_failed_transaction() {
  return {kInFailedTransaction,
          "current transaction is aborted, commands ignored until end of transaction block", ""};
}

SqlError unknown_statement(std::string_view name) {
  if (name.empty()) return {kInvalidStatementName, "unnamed prepared statement does not exist", ""};
  return {kInvalidStatementName, fmt::format("prepared statement \"{}\" does not exist", name), ""};
}

SqlError duplicate_statement(std::string_view name) {
  return {kDuplicateStatement, fmt::format("prepared statement \"{}\" already exists", name), ""};
}

SqlError too_many_statements(size_t limit) {
  return {kProgramLimit, fmt::format("a client may have {} prepared statements at most", limit),
          "Close those that are not needed any more."};
}

SqlError too_many_names(size_t limit) {
  return {kProgramLimit,
          fmt::format("at most {} statements may be prepared or closed before a Sync", limit),
          "Send a Sync in between."};
}

SqlError too_much_prepared_text(size_t limit_bytes) {
  return {kProgramLimit,
          fmt::format("the prepared statements of a client may have {} bytes together at most",
                      limit_bytes),
          "Close those that are not needed any more."};
}

SqlError statement_too_long(size_t limit_bytes) {
  return {kProgramLimit,
          fmt::format("a prepared statement with a name may have {} bytes at most", limit_bytes),
          "Prepare it without a name, or send it as a simple query."};
}

SqlError message_too_long(uint64_t limit_bytes) {
  return {kProgramLimit, fmt::format("a message may have {} bytes at most", limit_bytes),
          "Send the data in several messages, or ask the operator for a higher limit "
          "(sql.max_message_bytes).",
          Severity::kFatal};
}

SqlError unknown_portal(std::string_view name) {
  return {kInvalidCursorName, fmt::format("portal \"{}\" does not exist", name), ""};
}

SqlError invalid_savepoint() { return {kInvalidSavepoint, "savepoint does not exist", ""}; }

SqlError chain_outside_transaction(std::string_view command) {
  return {kNoActiveTransaction,
          fmt::format("{} AND CHAIN can only be used in transaction blocks", command), ""};
}

SqlError only_in_transaction(std::string_view command) {
  return {kNoActiveTransaction, fmt::format("{} can only be used in transaction blocks", command),
          ""};
}

SqlError already_in_transaction() {
  return {kActiveTransaction, "there is already a transaction in progress", "", Severity::kWarning};
}

SqlError no_transaction() {
  return {kNoActiveTransaction, "there is no transaction in progress", "", Severity::kWarning};
}

SqlError set_local_outside_transaction() {
  return {kNoActiveTransaction, "SET LOCAL can only be used in transaction blocks", "",
          Severity::kWarning};
}

SqlError binding_failed() {
  return {kSystemError,
          "the database connection could not be bound to the tenant: the outcome of this message "
          "is unknown",
          "Nothing of any tenant was read or written. Try again; the log of the sql door has the "
          "reason."};
}

SqlError server_lost() {
  return {kConnectionFailure,
          "the connection to the database was lost: the outcome of what was under way is unknown",
          "Connect again."};
}

SqlError pinned_server_lost() {
  return {kAdminShutdown, "the database connection that held this session's state was lost",
          "Connect again."};
}

SqlError queue_full() {
  return {kTooManyConnections, "too many statements wait for a database connection",
          "Try again later; open fewer connections, or ask for a higher limit."};
}

SqlError queue_timeout(Duration waited) {
  return {kTooManyConnections,
          fmt::format("no database connection became free within {} ms", waited / milliseconds(1)),
          "The tenant uses all connections that its tier grants, or the database is overloaded: "
          "shorten transactions, or try again later."};
}

SqlError cannot_connect(std::string_view cell) {
  return {kCannotConnect, fmt::format("the database of cell {} cannot be reached", cell),
          "Try again later."};
}

SqlError shutting_down() {
  return {kAdminShutdown, "terminating connection due to administrator command", "Connect again."};
}

SqlError ended_by_operator() {
  return {kAdminShutdown, "an operator has ended this session",
          "Connect again, unless told not to."};
}

SqlError pause_cancelled() {
  return {
      kQueryCanceled, "PAUSE was cancelled before all transactions had ended: nothing is paused",
      "SHOW CLIENTS shows who is still active; KILL ends those who will not end by themselves."};
}

SqlError cancelled_while_waiting() {
  return {kQueryCanceled, "canceling statement due to user request", ""};
}

SqlError cancelled_by_client() {
  return {kQueryCanceled, "canceling statement due to user request", ""};
}

SqlError copy_failed_by_client(std::string_view why) {
  return {kQueryCanceled, fmt::format("COPY from stdin failed: {}", why), ""};
}

SqlError statement_timeout(Duration limit) {
  return {kQueryCanceled,
          fmt::format("canceling statement due to statement timeout: it ran longer than the {} ms "
                      "of the tenant's tier",
                      limit / milliseconds(1)),
          "Make the statement faster, split it, or ask for a higher tier."};
}

SqlError time_used_up(std::string_view slug, Duration granted, Duration retry_after) {
  return {kConfigurationLimit,
          fmt::format("tenant \"{}\" has used twice the {} s of database time that its tier grants "
                      "in an hour (max_cpu_seconds): no transaction was begun",
                      slug, granted / seconds(1)),
          fmt::format("Try again in {} s. Transactions under way go on.",
                      std::chrono::ceil<seconds>(retry_after).count())};
}

SqlError idle_in_transaction_timeout(Duration limit) {
  return {kIdleInTransactionTimeout,
          fmt::format("terminating connection: idle in transaction for more than {} ms",
                      limit / milliseconds(1)),
          "Commit or roll back before doing something else for long.", Severity::kFatal};
}

SqlError transaction_timeout(Duration limit) {
  return {kTransactionTimeout,
          fmt::format("terminating connection: a transaction of more than {} ms",
                      limit / milliseconds(1)),
          "Do the work in shorter transactions: what it locks, others wait for.", Severity::kFatal};
}

SqlError login_failed(std::string_view user) {
  return {kInvalidPassword, fmt::format("authentication failed for user \"{}\"", user), "",
          Severity::kFatal};
}

SqlError login_timeout() {
  return {kCannotConnectNow, "the login took too long", "", Severity::kFatal};
}

SqlError too_many_clients() {
  return {kTooManyConnections, "the sql door has too many clients already",
          "Close connections that are not used, or try again later.", Severity::kFatal};
}

SqlError too_many_clients_of(std::string_view slug, uint32_t limit) {
  return {kTooManyConnections,
          fmt::format("tenant {} has {} connections to the sql door already", slug, limit),
          "Close connections that are not used, or share them in a pool.", Severity::kFatal};
}

SqlError startup_parameter_refused(std::string_view name) {
  return {kFeatureNotSupported,
          fmt::format("start-up parameter \"{}\" is not supported by the sql door", name),
          "Leave it out, or SET it in the transaction that needs it. docs/sql-door.md lists those "
          "that may be given.",
          Severity::kFatal};
}

SqlError startup_value_refused(std::string_view name) {
  return {kInvalidParameterValue,
          fmt::format("the value of start-up parameter \"{}\" is not plain text", name),
          "Use at most 1024 printable ASCII characters.", Severity::kFatal};
}

SqlError unknown_database(std::string_view name) {
  return {kInvalidCatalogName, fmt::format("database \"{}\" does not exist for this user", name),
          "", Severity::kFatal};
}

SqlError address_refused(std::string_view user) {
  return {kInvalidAuthorization, fmt::format("user \"{}\" may not connect from this address", user),
          "Add the address to the login's list, or use a client certificate.", Severity::kFatal};
}

SqlError unknown_tenant() {
  return {kInvalidAuthorization, "there is no such tenant", "", Severity::kFatal};
}

SqlError tenant_not_served(std::string_view slug) {
  return {kInvalidAuthorization, fmt::format("tenant \"{}\" is not served now", slug),
          "Its status says why: ask the operator.", Severity::kFatal};
}

SqlError tenant_elsewhere(std::string_view slug, std::string_view cell) {
  return {kInvalidAuthorization, fmt::format("tenant \"{}\" is not served by cell {}", slug, cell),
          "Use the connection string of the tenant's own cell."};
}

SqlError bad_token(std::string_view why) {
  return {kInvalidAuthorization, fmt::format("the token proves no tenant: {}", why),
          "Get a fresh one.", Severity::kFatal};
}

SqlError not_a_context() {
  return {kInvalidAuthorization, "app.current_tenant was not set to a context token",
          "Pass on the X-Partywall-Context of the request; only logins of class asserting may name "
          "a tenant."};
}

SqlError replication_refused() {
  return {kFeatureNotSupported, "replication connections do not pass the sql door",
          "Connect to the database directly.", Severity::kFatal};
}

SqlError tls_required() {
  return {kInvalidAuthorization, "this door takes encrypted connections only",
          "Connect with sslmode=require or better.", Severity::kFatal};
}

SqlError unsupported_protocol() {
  return {kFeatureNotSupported, "unsupported frontend protocol: the sql door speaks 3.0", "",
          Severity::kFatal};
}

}  // namespace partywall::sql::errors
