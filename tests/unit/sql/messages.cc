#include "sql/messages.h"

#include "sql/wire/field_reader.h"
#include "sql/wire/message.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql::testing {

std::vector<Message> take_messages(std::string& bytes) {
  std::vector<Message> messages;
  size_t at = 0;
  while (bytes.size() - at >= kHeadLength) {
    const uint32_t length = load_u32(std::string_view(bytes).substr(at + 1));
    if (bytes.size() - at < 1 + size_t{length}) break;
    messages.push_back({bytes[at], bytes.substr(at + kHeadLength, length - 4)});
    at += 1 + size_t{length};
  }
  bytes.erase(0, at);
  return messages;
}

std::string summary(const std::vector<Message>& messages) {
  std::string all;
  for (const Message& one : messages) {
    if (!all.empty()) all += ' ';
    all += one.type;
    switch (one.type) {
      case 'Z':
      case 'C':
        all += ":" + one.text();
        break;
      case 'E': {
        const auto error = read_server_error(one.body);
        all += error ? ":" + std::string(error->sqlstate) : "";  // Execute has none
        break;
      }
      default:
        break;
    }
  }
  return all;
}

std::string request_summary(const std::vector<Message>& messages) {
  std::string all;
  for (const Message& one : messages) {
    if (!all.empty()) all += ' ';
    all += one.type;
    if (one.type == 'Q') all += ":" + one.text();
  }
  return all;
}

}  // namespace partywall::sql::testing
