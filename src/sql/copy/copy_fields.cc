#include "sql/copy/copy_fields.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/copy/backslash.h"

namespace partywall::sql {
namespace {

SqlError bad_format(std::string message) {
  return {.sqlstate = sqlstate::kBadCopyFormat, .message = std::move(message), .hint = {}};
}

std::vector<bool> marked(const std::vector<std::string>& columns,
                         const std::vector<std::string>& names) {
  std::vector<bool> marks;
  for (const std::string& column : columns)
    marks.push_back(std::ranges::find(names, column) != names.end());
  return marks;
}

}  // namespace

CopyFields::CopyFields(const CopyFormat& format, std::vector<std::string> columns)
    : format_(format),
      columns_(std::move(columns)),
      force_null_(marked(columns_, format.force_null)),
      force_not_null_(marked(columns_, format.force_not_null)) {}

std::optional<SqlError> CopyFields::read(std::string_view line, CopyRow& row) {
  row.values.resize(columns_.size());
  const bool is_csv = format_.kind == CopyFormat::Kind::kCsv;
  bool is_last = false;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (is_last) return bad_format(fmt::format("missing data for column \"{}\"", columns_[i]));
    std::optional<std::string>& value = row.values[i];
    if (!is_csv) {
      value = read_text_field(line, is_last);
      continue;
    }
    if (auto error = read_csv_field(line, is_last, value)) return error;
    if (!value && force_not_null_[i]) {
      value = format_.null;
    } else if (value && force_null_[i] && *value == format_.null) {
      value.reset();
    }
  }
  if (is_last) return std::nullopt;
  // What is wrong with the fields comes first, of those that are too many as well.
  std::optional<std::string> surplus;
  while (is_csv && !is_last) {
    if (auto error = read_csv_field(line, is_last, surplus)) return error;
  }
  return bad_format("extra data after last expected column");
}

// What stands for NULL is compared before escapes are read.
std::optional<std::string> CopyFields::read_text_field(std::string_view& rest,
                                                       bool& is_last) const {
  const std::string_view start = rest;
  std::string value;
  is_last = true;
  size_t length = 0;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == format_.delimiter) {
      is_last = false;
      break;
    }
    if (c != '\\') {
      value.push_back(c);
    } else if (!rest.empty()) {
      value.push_back(take_escaped(rest));
    }
    length = start.size() - rest.size();
  }
  if (start.substr(0, length) == format_.null) return std::nullopt;
  return value;
}

std::optional<SqlError> CopyFields::read_csv_field(std::string_view& rest, bool& is_last,
                                                   std::optional<std::string>& value) const {
  const std::string_view start = rest;
  std::string read;
  bool saw_quote = false;
  is_last = true;
  size_t length = 0;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == format_.delimiter) {
      is_last = false;
      break;
    }
    if (c == format_.quote) {
      saw_quote = true;
      if (!read_quoted(rest, read)) return bad_format("unterminated CSV quoted field");
    } else {
      read.push_back(c);
    }
    length = start.size() - rest.size();
  }
  if (!saw_quote && start.substr(0, length) == format_.null) {
    value.reset();
  } else {
    value = std::move(read);
  }
  return std::nullopt;
}

// Up to the closing quote; false: there is none.
bool CopyFields::read_quoted(std::string_view& rest, std::string& value) const {
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == format_.escape && !rest.empty() &&
        (rest.front() == format_.escape || rest.front() == format_.quote)) {
      value.push_back(rest.front());
      rest.remove_prefix(1);
    } else if (c == format_.quote) {
      return true;
    } else {
      value.push_back(c);
    }
  }
  return false;
}

}  // namespace partywall::sql
