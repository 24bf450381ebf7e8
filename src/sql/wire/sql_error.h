#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace partywall::sql {

enum class Severity : uint8_t { kError, kFatal, kWarning, kNotice };

// An error or notice of the door's own, as a client sees it.
struct SqlError {
  std::string_view sqlstate;  // one of the constants below
  std::string message;        // what happened, to what
  std::string hint;           // what to do; may be empty
  Severity severity = Severity::kError;
  std::string context = {};  // where it happened; may be empty
};

// PostgreSQL documentation, appendix "PostgreSQL Error Codes".
namespace sqlstate {
inline constexpr std::string_view kConnectionFailure = "08006";
inline constexpr std::string_view kCannotConnect = "08001";
inline constexpr std::string_view kProtocolViolation = "08P01";
inline constexpr std::string_view kFeatureNotSupported = "0A000";
inline constexpr std::string_view kActiveTransaction = "25001";
inline constexpr std::string_view kNoActiveTransaction = "25P01";
inline constexpr std::string_view kInFailedTransaction = "25P02";
inline constexpr std::string_view kIdleInTransactionTimeout = "25P03";
inline constexpr std::string_view kTransactionTimeout = "25P04";  // of PostgreSQL 17
inline constexpr std::string_view kInvalidStatementName = "26000";
inline constexpr std::string_view kInvalidAuthorization = "28000";
inline constexpr std::string_view kInvalidPassword = "28P01";
inline constexpr std::string_view kInvalidTextRepresentation = "22P02";
inline constexpr std::string_view kBadCopyFormat = "22P04";
inline constexpr std::string_view kInvalidParameterValue = "22023";
inline constexpr std::string_view kInvalidCursorName = "34000";
inline constexpr std::string_view kInvalidCatalogName = "3D000";
inline constexpr std::string_view kInvalidSavepoint = "3B001";
inline constexpr std::string_view kDuplicateStatement = "42P05";
inline constexpr std::string_view kSyntaxError = "42601";
inline constexpr std::string_view kUndefinedObject = "42704";
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kTooManyConnections = "53300";
inline constexpr std::string_view kConfigurationLimit = "53400";
inline constexpr std::string_view kProgramLimit = "54000";
inline constexpr std::string_view kObjectNotInState = "55000";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kAdminShutdown = "57P01";
inline constexpr std::string_view kCannotConnectNow = "57P03";
inline constexpr std::string_view kSystemError = "58000";
}  // namespace sqlstate

// ErrorResponse, or NoticeResponse for warnings and notices.
void append_error(std::string& out, const SqlError& error);

// The fields of a server's ErrorResponse or NoticeResponse that the door looks at.
struct ServerError {
  std::string_view severity;  // never localised: field 'V'
  std::string_view sqlstate;
  std::string_view message;

  [[nodiscard]] bool is_fatal() const { return severity == "FATAL" || severity == "PANIC"; }
};

// nullopt: malformed.
std::optional<ServerError> read_server_error(std::string_view body);

}  // namespace partywall::sql
