#include "sql/client/local_reply.h"

#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {
constexpr uint32_t kTextType = 25;
}

void append_text_row_description(std::string& out, std::string_view column) {
  MessageWriter(out, 'T')
      .u16(1)
      .c_string(column)
      .u32(0)
      .u16(0)
      .u32(kTextType)
      .u16(0xffff)
      .u32(0xffffffff)
      .u16(0);
}

void append_text_row(std::string& out, std::string_view value) {
  MessageWriter(out, 'D').u16(1).u32(static_cast<uint32_t>(value.size())).bytes(value);
}

void append_execution(std::string& out, const LocalReply& reply) {
  if (reply.warning) append_error(out, *reply.warning);
  if (reply.error) {
    append_error(out, *reply.error);
    return;
  }
  if (reply.row) append_text_row(out, reply.row->value);
  if (reply.tag.empty()) {
    append_empty_message(out, 'I');
  } else {
    append_command_complete(out, reply.tag);
  }
}

}  // namespace partywall::sql
