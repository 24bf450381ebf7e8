#include "sql/client/client_errors.h"

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

SqlError statement_too_long(size_t limit_bytes) {
  return {kProgramLimit,
          fmt::format("a prepared statement with a name may have {} bytes at most", limit_bytes),
          "Prepare it without a name, or send it as a simple query."};
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

}  // namespace partywall::sql::errors
