#include "identity/scram_message.h"

#include <algorithm>

#include "identity/scram.h"

namespace partywall::scram {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

Result<std::pair<char, std::string_view>> AttributeReader::next() {
  if (rest_.size() < 2 || !is_letter(rest_[0]) || rest_[1] != '=') {
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: an attribute (\"x=…\") is missing");
  }
  const char name = rest_[0];
  const size_t comma = rest_.find(',');
  const std::string_view value = rest_.substr(2, comma == rest_.npos ? rest_.npos : comma - 2);
  if (comma == rest_.npos) {
    rest_ = {};
  } else {
    rest_.remove_prefix(comma + 1);
    if (rest_.empty())
      return fail(ErrorKind::kInvalid, "malformed SCRAM message: it ends with a comma");
  }
  return std::pair{name, value};
}

Result<std::string_view> AttributeReader::require(char name) {
  auto attribute = next();
  if (!attribute) return std::unexpected(attribute.error());
  if (attribute->first == 'm') {
    return fail(ErrorKind::kInvalid,
                "the SCRAM message asks for an extension that is not supported");
  }
  if (attribute->first != name) {
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: attribute \"{}\" expected", name);
  }
  return attribute->second;
}

Result<> AttributeReader::skip_extensions() {
  while (!at_end()) {
    auto attribute = next();
    if (!attribute) return std::unexpected(attribute.error());
    if (attribute->first == 'm') {
      return fail(ErrorKind::kInvalid,
                  "the SCRAM message asks for an extension that is not supported");
    }
  }
  return {};
}

bool is_valid_nonce(std::string_view nonce) {
  return !nonce.empty() &&
         std::ranges::all_of(nonce, [](char c) { return c > 0x20 && c < 0x7F && c != ','; });
}

Result<> check_message(std::string_view message) {
  if (message.size() > kMaxScramMessageLength) {
    return fail(ErrorKind::kInvalid, "the SCRAM message is longer than {} bytes",
                kMaxScramMessageLength);
  }
  if (message.find('\0') != message.npos) {
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: it has a zero byte");
  }
  return {};
}

Sha256Digest exclusive_or(const Sha256Digest& a, std::string_view b) {
  Sha256Digest result{};
  for (size_t i = 0; i < result.size(); ++i) result[i] = a[i] ^ static_cast<uint8_t>(b[i]);
  return result;
}

}  // namespace partywall::scram
