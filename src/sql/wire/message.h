#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

// Messages of the PostgreSQL frontend/backend protocol 3.0 (documentation, chapter "Message
// Formats"): one type byte, a length that counts itself, the body. Start-up packets have no type
// byte: see wire/startup.h.
namespace partywall::sql {

inline constexpr size_t kHeadLength = 5;

struct MessageHead {
  char type = 0;
  uint32_t body_length = 0;  // without the length's own four bytes

  [[nodiscard]] size_t total_length() const { return kHeadLength + body_length; }
};

enum class HeadProblem {
  kIncomplete,  // fewer than kHeadLength bytes yet
  kUnknownType,
  kBadLength,  // shorter than the length field itself, or above the limit of the type
};

// The bounds of PostgreSQL itself (pqcomm.h): messages that may carry data, and all others.
inline constexpr uint32_t kMaxLargeMessage = 0x3fffffff;
inline constexpr uint32_t kMaxSmallMessage = 10'000;

// The head of a message that a client may send once it is logged in.
std::expected<MessageHead, HeadProblem> read_client_head(std::string_view bytes);
// The head of a message of a server.
std::expected<MessageHead, HeadProblem> read_server_head(std::string_view bytes);

}  // namespace partywall::sql
