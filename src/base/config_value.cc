#include "base/config_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace partywall {
namespace {

constexpr size_t kMaxTextLength = 4096;

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool consists_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == text.npos;
}

void remove_sign(std::string_view& text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
}

// YAML 1.1 and 1.2 together: decimal, octal, hexadecimal, binary, floating point, with '_'.
bool looks_like_number(std::string_view text) {
  constexpr std::array<std::string_view, 6> kSpecial = {".inf", ".Inf", ".INF",
                                                        ".nan", ".NaN", ".NAN"};
  remove_sign(text);
  if (is_one_of(text, kSpecial)) return true;
  if (text.starts_with("0x")) return consists_of(text.substr(2), "0123456789abcdefABCDEF_");
  if (text.starts_with("0o") || text.starts_with("0b"))
    return consists_of(text.substr(2), "01234567_");
  if (const size_t exponent = text.find_first_of("eE"); exponent != text.npos) {
    std::string_view power = text.substr(exponent + 1);
    remove_sign(power);
    if (!consists_of(power, "0123456789")) return false;
    text = text.substr(0, exponent);
  }
  return consists_of(text, "0123456789_.") && std::ranges::count(text, '.') <= 1 &&
         text.find_first_of("0123456789") != text.npos;
}

}  // namespace

std::string_view plain_text_ambiguity(std::string_view plain) {
  constexpr std::array<std::string_view, 22> kBooleans = {
      "y",    "Y",    "yes",   "Yes",   "YES",   "n",  "N",  "no", "No",  "NO",  "true",
      "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF"};
  constexpr std::array<std::string_view, 4> kNothing = {"~", "null", "Null", "NULL"};
  if (is_one_of(plain, kBooleans)) return "a boolean";
  if (is_one_of(plain, kNothing)) return "nothing";
  return looks_like_number(plain) ? "a number" : "";
}

Result<std::string> ConfigValue<std::string>::parse(const YamlNode& node) {
  if (node.text.empty()) return fail(ErrorKind::kInvalid, "must not be empty");
  if (node.text.size() > kMaxTextLength) {
    return fail(ErrorKind::kInvalid, "is {} bytes long, at most {} are allowed", node.text.size(),
                kMaxTextLength);
  }
  const std::string_view other =
      node.kind == YamlNode::Kind::kPlain ? plain_text_ambiguity(node.text) : "";
  if (!other.empty()) {
    return fail(ErrorKind::kInvalid,
                "needs a text, but {} is {} to YAML; write \"{}\" in quotes if you mean the text",
                node.text, other, node.text);
  }
  return node.text;
}

Result<bool> ConfigValue<bool>::parse(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kPlain && node.text == "true") return true;
  if (node.kind == YamlNode::Kind::kPlain && node.text == "false") return false;
  return fail(ErrorKind::kInvalid,
              "'{}' is neither true nor false; write one of the two, without quotes", node.text);
}

Result<> check_plain_number(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kQuoted) return {};
  return fail(ErrorKind::kInvalid,
              "needs a number, but \"{}\" in quotes is a text; remove the quotes", node.text);
}

Result<double> ConfigValue<double>::parse(const YamlNode& node) {
  if (auto plain = check_plain_number(node); !plain) return std::unexpected(plain.error());
  double value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stopped, status] =
      std::from_chars(node.text.data(), end, value, std::chars_format::fixed);
  if (status != std::errc() || stopped != end || !std::isfinite(value)) {
    return fail(ErrorKind::kInvalid, "'{}' is not a number such as 0.05", node.text);
  }
  return value;
}

Result<ByteSize> ConfigValue<ByteSize>::parse(const YamlNode& node) {
  const auto bytes = parse_size(node.text);
  if (!bytes) return std::unexpected(bytes.error());
  return ByteSize{*bytes};
}

}  // namespace partywall
