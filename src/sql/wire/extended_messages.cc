#include "sql/wire/extended_messages.h"

#include "sql/wire/field_reader.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {

std::optional<ParseMessage> read_parse(std::string_view body) {
  FieldReader reader(body);
  ParseMessage message;
  message.statement = reader.c_string();
  message.definition = reader.rest();
  message.query = reader.c_string();
  const uint16_t types = reader.u16();
  reader.bytes(size_t{types} * 4);
  if (!reader.ok_and_at_end()) return std::nullopt;
  return message;
}

uint32_t ParseMessage::parameter_type(size_t index) const {
  std::string_view types = definition.substr(query.size() + 1);
  if (index >= load_u16(types)) return 0;
  return load_u32(types.substr(2 + 4 * index));
}

std::optional<BindTarget> read_bind_target(std::string_view front_of_body) {
  FieldReader reader(front_of_body);
  BindTarget target;
  target.portal = reader.c_string();
  target.statement = reader.c_string();
  if (!reader.ok()) return std::nullopt;
  target.length = front_of_body.size() - reader.rest().size();
  return target;
}

std::optional<BindMessage> read_bind(std::string_view body) {
  const auto target = read_bind_target(body);
  if (!target) return std::nullopt;
  BindMessage message{.target = *target, .formats = {}, .values = {}};
  FieldReader reader(body.substr(target->length));
  const uint16_t formats = reader.u16();
  for (uint16_t i = 0; i < formats && reader.ok(); ++i) message.formats.push_back(reader.u16());
  const uint16_t values = reader.u16();
  for (uint16_t i = 0; i < values && reader.ok(); ++i) {
    const auto length = static_cast<int32_t>(reader.u32());
    if (length < -1) return std::nullopt;
    if (length == -1) {
      message.values.emplace_back();
    } else {
      message.values.emplace_back(reader.bytes(static_cast<size_t>(length)));
    }
  }
  const uint16_t results = reader.u16();
  for (uint16_t i = 0; i < results && reader.ok(); ++i) {
    const uint16_t format = reader.u16();
    if (i == 0) message.result_format = format;
  }
  if (!reader.ok_and_at_end()) return std::nullopt;
  return message;
}

bool BindMessage::is_binary(size_t index) const {
  if (formats.size() == 1) return formats[0] == 1;  // that of all of them
  return index < formats.size() && formats[index] == 1;
}

std::optional<TargetMessage> read_target(std::string_view body) {
  FieldReader reader(body);
  TargetMessage message;
  message.what = static_cast<char>(reader.u8());
  message.name = reader.c_string();
  if (!reader.ok_and_at_end() || (message.what != 'S' && message.what != 'P')) return std::nullopt;
  return message;
}

std::optional<ExecuteMessage> read_execute(std::string_view body) {
  FieldReader reader(body);
  ExecuteMessage message;
  message.portal = reader.c_string();
  message.max_rows = reader.u32();
  if (!reader.ok_and_at_end()) return std::nullopt;
  return message;
}

void append_parse(std::string& out, std::string_view statement, std::string_view definition) {
  MessageWriter(out, 'P').c_string(statement).bytes(definition);
}

void append_target(std::string& out, char type, char what, std::string_view name) {
  MessageWriter(out, type).u8(static_cast<uint8_t>(what)).c_string(name);
}

}  // namespace partywall::sql
