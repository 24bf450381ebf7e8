#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// The packets that open a connection. They have no type byte: a length that counts itself, a code,
// the rest (PostgreSQL documentation, "Message Formats": StartupMessage, SSLRequest, GSSENCRequest,
// CancelRequest).
namespace partywall::sql {

inline constexpr uint32_t kMaxStartupPacket = 10'000;  // PostgreSQL's own bound
inline constexpr uint16_t kProtocolMajor = 3;
inline constexpr uint16_t kProtocolMinor = 0;  // the newest that we speak
inline constexpr uint32_t kCancelRequestCode = (1234U << 16) | 5678U;

struct SslRequest {};
struct GssEncryptionRequest {};

struct CancelRequest {
  uint32_t pid = 0;
  uint32_t secret = 0;
};

struct StartupRequest {
  uint16_t minor_version = 0;
  std::string user;
  std::string database;  // the user's name where the client names none
  std::vector<std::pair<std::string, std::string>> parameters;  // others, in order, no duplicates
  std::vector<std::string> protocol_options;                    // names that start with "_pq_."
};

using StartupPacket = std::variant<SslRequest, GssEncryptionRequest, CancelRequest, StartupRequest>;

enum class StartupProblem {
  kIncomplete,
  kBadLength,
  kUnsupportedVersion,  // the major version is not 3
  kMalformed,
  kNoUser,
};

struct StartupResult {
  StartupPacket packet;
  size_t consumed = 0;
};

std::expected<StartupResult, StartupProblem> read_startup_packet(std::string_view bytes);

void append_startup_request(std::string& out,
                            const std::vector<std::pair<std::string, std::string>>& parameters);
void append_cancel_request(std::string& out, const CancelRequest& request);
// Says that we speak 3.0 and know none of the options (NegotiateProtocolVersion).
void append_negotiate_protocol_version(std::string& out,
                                       const std::vector<std::string>& unknown_options);

// The text of the "options" parameter as PostgreSQL splits it (pg_split_opts): blanks separate,
// a backslash takes the next character as it is. Returns the settings of "-c name=value" and
// "--name=value" (in names, '-' counts as '_'); nothing else is allowed.
std::expected<std::vector<std::pair<std::string, std::string>>, std::string> parse_startup_options(
    std::string_view options);

}  // namespace partywall::sql
