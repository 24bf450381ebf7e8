#include "sql/wire/sql_error.h"

#include "sql/wire/field_reader.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

std::string_view severity_text(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "ERROR";
    case Severity::kFatal:
      return "FATAL";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kNotice:
      return "NOTICE";
  }
  return "ERROR";
}

bool is_notice(Severity severity) {
  return severity == Severity::kWarning || severity == Severity::kNotice;
}

}  // namespace

void append_error(std::string& out, const SqlError& error) {
  const std::string_view severity = severity_text(error.severity);
  MessageWriter message(out, is_notice(error.severity) ? 'N' : 'E');
  message.u8('S').c_string(severity).u8('V').c_string(severity);
  message.u8('C').c_string(error.sqlstate).u8('M').c_string(error.message);
  if (!error.hint.empty()) message.u8('H').c_string(error.hint);
  if (!error.context.empty()) message.u8('W').c_string(error.context);
  message.u8(0);
}

std::optional<ServerError> read_server_error(std::string_view body) {
  ServerError error;
  FieldReader reader(body);
  while (true) {
    const auto field = static_cast<char>(reader.u8());
    if (!reader.ok()) return std::nullopt;
    if (field == '\0') break;
    const std::string_view value = reader.c_string();
    if (field == 'V') error.severity = value;
    if (field == 'C') error.sqlstate = value;
    if (field == 'M') error.message = value;
  }
  if (!reader.ok_and_at_end() || error.sqlstate.size() != 5) return std::nullopt;
  return error;
}

}  // namespace partywall::sql
