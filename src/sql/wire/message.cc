#include "sql/wire/message.h"

#include "sql/wire/field_reader.h"

namespace partywall::sql {
namespace {

constexpr bool is_large_client_type(char type) {
  switch (type) {
    case 'Q':
    case 'P':
    case 'B':
    case 'F':
    case 'd':
      return true;
    default:
      return false;
  }
}

constexpr bool is_client_type(char type) {
  switch (type) {
    case 'Q':
    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
    case 'S':
    case 'H':
    case 'F':
    case 'd':
    case 'c':
    case 'f':
    case 'p':
    case 'X':
      return true;
    default:
      return false;
  }
}

constexpr bool is_server_type(char type) {
  switch (type) {
    case 'R':
    case 'K':
    case 'S':
    case 'Z':
    case 'T':
    case 'D':
    case 'C':
    case 'E':
    case 'N':
    case 'A':
    case '1':
    case '2':
    case '3':
    case 'n':
    case 's':
    case 't':
    case 'I':
    case 'V':
    case 'v':
    case 'G':
    case 'H':
    case 'W':
    case 'd':
    case 'c':
      return true;
    default:
      return false;
  }
}

std::expected<MessageHead, HeadProblem> read_head(std::string_view bytes, uint32_t max_length) {
  const uint32_t length = load_u32(bytes.substr(1));
  if (length < 4 || length - 4 > max_length) return std::unexpected(HeadProblem::kBadLength);
  return MessageHead{bytes[0], length - 4};
}

}  // namespace

std::expected<MessageHead, HeadProblem> read_client_head(std::string_view bytes) {
  // A wrong type is told from its first byte: a client that speaks another protocol gets an answer.
  if (!bytes.empty() && !is_client_type(bytes[0]))
    return std::unexpected(HeadProblem::kUnknownType);
  if (bytes.size() < kHeadLength) return std::unexpected(HeadProblem::kIncomplete);
  return read_head(bytes, is_large_client_type(bytes[0]) ? kMaxLargeMessage : kMaxSmallMessage);
}

std::expected<MessageHead, HeadProblem> read_server_head(std::string_view bytes) {
  if (!bytes.empty() && !is_server_type(bytes[0]))
    return std::unexpected(HeadProblem::kUnknownType);
  if (bytes.size() < kHeadLength) return std::unexpected(HeadProblem::kIncomplete);
  return read_head(bytes, kMaxLargeMessage);
}

}  // namespace partywall::sql
