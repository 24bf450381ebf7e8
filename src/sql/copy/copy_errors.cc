#include "sql/copy/copy_errors.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "sql/wire/field_reader.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

// PostgreSQL names the parameter that it could not convert, in the last line of the context:
// "unnamed portal parameter $3 = '...'". The words depend on lc_messages, the signs do not.
struct FailedParameter {
  size_t number = 0;
  std::string_view before;  // lines of context in front: what the type itself says
};

std::optional<FailedParameter> failed_parameter(std::string_view context, size_t parameters) {
  const size_t newline = context.rfind('\n');
  const std::string_view before = context.substr(0, newline == context.npos ? 0 : newline + 1);
  const size_t sign = context.find('$', before.size());
  if (sign == context.npos) return std::nullopt;
  size_t number = 0;
  const char* const end = context.data() + context.size();
  const auto parsed = std::from_chars(context.data() + sign + 1, end, number);
  const std::string_view rest(parsed.ptr, static_cast<size_t>(end - parsed.ptr));
  if (parsed.ec != std::errc() || number == 0 || number > parameters ||
      (!rest.empty() && !rest.starts_with(" = "))) {
    return std::nullopt;
  }
  return FailedParameter{number, before};
}

std::string context_of(std::string_view old, const CopyPlace& place) {
  const size_t columns = place.columns.size();
  if (const auto failed = failed_parameter(old, columns * place.lines.size())) {
    return fmt::format("{}{}, column {}", failed->before,
                       line_context(place.table, place.lines[(failed->number - 1) / columns]),
                       place.columns[(failed->number - 1) % columns]);
  }
  const std::string own = place.lines.size() == 1
                              ? line_context(place.table, place.lines.front())
                              : fmt::format("COPY {}, lines {} to {}", place.table,
                                            place.lines.front(), place.lines.back());
  return old.empty() ? own : fmt::format("{}\n{}", old, own);
}

void append_copy_error(std::string& out, std::string_view body, const CopyPlace& place) {
  MessageWriter message(out, 'E');
  std::string_view old_context;
  FieldReader reader(body);
  while (true) {
    const auto field = static_cast<char>(reader.u8());
    if (!reader.ok() || field == '\0') break;
    const std::string_view value = reader.c_string();
    if (field == 'W') old_context = value;
    if (field == 'W' || field == 'P') continue;
    message.u8(static_cast<uint8_t>(field)).c_string(value);
  }
  message.u8('W').c_string(context_of(old_context, place)).u8(0);
}

}  // namespace

std::string line_context(std::string_view table, uint64_t line) {
  return fmt::format("COPY {}, line {}", table, line);
}

std::string copy_error_message(std::string_view body, const CopyPlace& place) {
  std::string out;
  append_copy_error(out, body, place);
  return out;
}

}  // namespace partywall::sql
