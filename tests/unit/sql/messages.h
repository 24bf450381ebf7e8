#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/wire/extended_messages.h"
#include "sql/wire/message_writer.h"

// Messages in a form that tests can write and compare.
namespace partywall::sql::testing {

inline std::string message(char type, std::string_view body = {}) {
  std::string out;
  MessageWriter(out, type).bytes(body);
  return out;
}
inline std::string query(std::string_view text) {
  std::string out;
  append_query(out, text);
  return out;
}
inline std::string parse(std::string_view name, std::string_view text) {
  std::string out;
  MessageWriter(out, 'P').c_string(name).c_string(text).u16(0);
  return out;
}
inline std::string bind(std::string_view portal, std::string_view statement,
                        const std::vector<std::string>& values = {}) {
  std::string out;
  {
    MessageWriter writer(out, 'B');
    writer.c_string(portal).c_string(statement).u16(0).u16(static_cast<uint16_t>(values.size()));
    for (const std::string& value : values)
      writer.u32(static_cast<uint32_t>(value.size())).bytes(value);
    writer.u16(0);
  }
  return out;
}
inline std::string target(char type, char what, std::string_view name) {
  std::string out;
  append_target(out, type, what, name);
  return out;
}
inline std::string execute(std::string_view portal = "") {
  std::string out;
  MessageWriter(out, 'E').c_string(portal).u32(0);
  return out;
}
inline std::string sync() { return message('S'); }

struct Message {
  char type;
  std::string body;
  bool operator==(const Message&) const = default;
  [[nodiscard]] std::string text() const { return body.substr(0, body.find('\0')); }
};

// Takes the complete messages from the front.
std::vector<Message> take_messages(std::string& bytes);
// "Z:I C:SELECT 1 E:28000 T": type, and what tells messages of that type apart.
std::string summary(const std::vector<Message>& messages);
std::string request_summary(const std::vector<Message>& messages);

}  // namespace partywall::sql::testing
