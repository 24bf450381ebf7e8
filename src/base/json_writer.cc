#include "base/json_writer.h"

#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "base/json.h"
#include "base/utf8.h"

namespace partywall {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// What stands for itself in a text: ASCII but for control characters, quotes and backslashes.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && kPlain[static_cast<unsigned char>(text[plain])]) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text.front());
    if (c < 0x80) {
      append_escaped(out, c);
      text.remove_prefix(1);
      continue;
    }
    const size_t length = utf8_sequence_length(text);
    out.append(length == 0 ? kReplacement : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(int64_t number) { return raw(fmt::format_int(number).c_str()); }
JsonWriter& JsonWriter::value(uint64_t number) { return raw(fmt::format_int(number).c_str()); }

JsonWriter& JsonWriter::value(double number) {
  // JSON has no infinities and no NaN.
  return std::isfinite(number) ? raw(fmt::format("{}", number)) : null();
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view text) {
  separate();
  out_ += text;
  needs_comma_ = true;
  return *this;
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
}

JsonWriter& JsonWriter::value(const JsonValue& whole) {
  if (const auto* const members = whole.as_object()) {
    begin_object();
    for (const JsonMember& member : *members) key(member.name).value(member.value);
    return end_object();
  }
  if (const auto* const elements = whole.as_array()) {
    begin_array();
    for (const JsonValue& element : *elements) value(element);
    return end_array();
  }
  if (const auto* const text = whole.as_string()) return value(*text);
  if (const auto flag = whole.as_bool()) return value(*flag);
  if (const auto number = whole.as_int64()) return value(*number);
  if (const auto number = whole.as_uint64()) return value(*number);
  if (const auto number = whole.as_double()) return value(*number);
  return null();
}

std::string to_json_text(const JsonValue& value) {
  std::string text;
  JsonWriter(text).value(value);
  return text;
}

}  // namespace partywall
