#pragma once

#include <string_view>
#include <utility>

#include "base/crypto.h"
#include "base/result.h"

// The grammar that all SCRAM messages share (RFC 5802 section 7): "name=value" pairs between
// commas.
namespace partywall::scram {

// Takes the pairs of one message from front to back.
class AttributeReader {
 public:
  explicit AttributeReader(std::string_view message) : rest_(message) {}

  // The value of the next pair, which must have this name.
  Result<std::string_view> require(char name);
  // Everything that is left must be well-formed pairs; RFC 5802 has us ignore those we do not know,
  // except "m", which is reserved for extensions that must not be ignored.
  Result<> skip_extensions();
  // Where the next pair starts, or the end of the message.
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  Result<std::pair<char, std::string_view>> next();

  std::string_view rest_;
};

// Not empty, and printable ASCII without a comma, as nonces must be.
[[nodiscard]] bool is_valid_nonce(std::string_view nonce);

// Longer than kMaxScramMessageLength, or with a zero byte: kInvalid.
Result<> check_message(std::string_view message);

[[nodiscard]] Sha256Digest exclusive_or(const Sha256Digest& a, std::string_view b);

}  // namespace partywall::scram
