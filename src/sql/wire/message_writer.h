#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace partywall::sql {

inline void append_u16(std::string& out, uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}
inline void append_u32(std::string& out, uint32_t value) {
  append_u16(out, static_cast<uint16_t>(value >> 16));
  append_u16(out, static_cast<uint16_t>(value));
}

// Appends one message; the length is filled in at the end of its life.
class MessageWriter {
 public:
  MessageWriter(std::string& out, char type) : out_(out), length_at_(out.size() + 1) {
    out_.push_back(type);
    append_u32(out_, 0);
  }
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;
  ~MessageWriter() {
    const auto length = static_cast<uint32_t>(out_.size() - length_at_);
    for (int byte = 0; byte < 4; ++byte)
      out_[length_at_ + byte] = static_cast<char>(length >> (24 - 8 * byte));
  }

  MessageWriter& u8(uint8_t value) {
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  MessageWriter& u16(uint16_t value) {
    append_u16(out_, value);
    return *this;
  }
  MessageWriter& u32(uint32_t value) {
    append_u32(out_, value);
    return *this;
  }
  MessageWriter& bytes(std::string_view value) {
    out_.append(value);
    return *this;
  }
  // With the zero byte. A zero byte within the text would be taken for its end: it is cut there.
  MessageWriter& c_string(std::string_view text) {
    out_.append(text.substr(0, text.find('\0')));
    out_.push_back('\0');
    return *this;
  }

 private:
  std::string& out_;
  size_t length_at_;
};

enum class TransactionStatus : char { kIdle = 'I', kInTransaction = 'T', kFailed = 'E' };

inline void append_empty_message(std::string& out, char type) { MessageWriter(out, type); }
inline void append_ready_for_query(std::string& out, TransactionStatus status) {
  MessageWriter(out, 'Z').u8(static_cast<uint8_t>(status));
}
inline void append_command_complete(std::string& out, std::string_view tag) {
  MessageWriter(out, 'C').c_string(tag);
}
inline void append_query(std::string& out, std::string_view statement) {
  MessageWriter(out, 'Q').c_string(statement);
}
inline void append_parameter_status(std::string& out, std::string_view name,
                                    std::string_view value) {
  MessageWriter(out, 'S').c_string(name).c_string(value);
}
inline void append_backend_key_data(std::string& out, uint32_t pid, uint32_t secret) {
  MessageWriter(out, 'K').u32(pid).u32(secret);
}

}  // namespace partywall::sql
