#include "cli/output.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"

namespace partywall::cli {
namespace {

constexpr std::string_view kNothing = "-";

const JsonValue* find_at(const JsonValue& value, std::string_view path) {
  const JsonValue* current = &value;
  for (const std::string_view name : split(path, '.')) {
    current = current->find(name);
    if (!current) return nullptr;
  }
  return current;
}

std::string to_text(const JsonValue& value) {
  if (value.is_null()) return std::string(kNothing);
  if (const std::string* const text = value.as_string())
    return text->empty() ? std::string(kNothing) : printable(*text);
  return to_json_text(value);
}

// Characters, not bytes: UTF-8 continuation bytes do not count.
size_t width(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_leaf(const JsonValue& value) {
  const JsonObject* const members = value.as_object();
  const JsonArray* const elements = value.as_array();
  return !(members && !members->empty()) && !(elements && !elements->empty());
}

void append_json(std::string& out, const JsonValue& value, size_t indent) {
  const std::string inner(indent + 2, ' ');
  if (is_leaf(value)) {
    out += to_json_text(value);
    return;
  }
  if (const JsonArray* const elements = value.as_array()) {
    out += "[\n";
    for (size_t i = 0; i < elements->size(); ++i) {
      out += inner;
      append_json(out, (*elements)[i], indent + 2);
      out += i + 1 < elements->size() ? ",\n" : "\n";
    }
    out += std::string(indent, ' ') + ']';
    return;
  }
  const JsonObject& members = *value.as_object();
  out += "{\n";
  for (size_t i = 0; i < members.size(); ++i) {
    out += inner;
    append_json_string(out, members[i].name);
    out += ": ";
    append_json(out, members[i].value, indent + 2);
    out += i + 1 < members.size() ? ",\n" : "\n";
  }
  out += std::string(indent, ' ') + '}';
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }) && !(key.front() >= '0' && key.front() <= '9');
}

// Block style; leaves are JSON, which YAML 1.2 contains: no text can become something else.
void append_yaml(std::string& out, const JsonValue& value, size_t indent) {
  const std::string margin(indent, ' ');
  if (const JsonArray* const elements = value.as_array()) {
    for (const JsonValue& element : *elements) {
      out += margin + "-";
      if (is_leaf(element)) {
        out += ' ' + to_json_text(element) + '\n';
        continue;
      }
      std::string inner;
      append_yaml(inner, element, indent + 2);
      out += ' ' + inner.substr(indent + 2);
    }
    return;
  }
  for (const JsonMember& member : *value.as_object()) {
    out += margin;
    if (is_plain_key(member.name)) {
      out += member.name;
    } else {
      append_json_string(out, member.name);
    }
    out += ':';
    if (is_leaf(member.value)) {
      out += ' ' + to_json_text(member.value) + '\n';
    } else {
      out += '\n';
      append_yaml(out, member.value, indent + 2);
    }
  }
}

void append_item(std::string& out, const JsonValue& value, size_t indent) {
  for (const JsonMember& member : *value.as_object()) {
    out += std::string(indent, ' ') + member.name + ':';
    if (member.value.as_object() && !is_leaf(member.value)) {
      out += '\n';
      append_item(out, member.value, indent + 2);
    } else {
      out += ' ' + to_text(member.value) + '\n';
    }
  }
}

}  // namespace

std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  // U+0080 to U+009F, of which U+009B begins the same sequences as ESC [.
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if (text[i] == '\xC2' && next >= 0x80 && next <= 0x9F) text.replace(i, 2, 1, '?');
  }
  return text;
}

std::string text_at(const JsonValue& value, std::string_view path) {
  const JsonValue* const found = find_at(value, path);
  return found ? to_text(*found) : std::string(kNothing);
}

std::string lines_at(const JsonValue& value, std::string_view path) {
  const JsonValue* const found = find_at(value, path);
  const std::string* const text = found ? found->as_string() : nullptr;
  if (!text || text->empty()) return text_at(value, path);
  std::string lines;
  for (const std::string_view line : split(*text, '\n')) {
    if (!lines.empty()) lines += '\n';
    lines += printable(std::string(line));
  }
  return lines;
}

std::string print_table(const JsonArray& items, const std::vector<Column>& columns) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string>& headings = rows.emplace_back();
  for (const Column& column : columns) headings.emplace_back(column.heading);
  for (const JsonValue& item : items) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const Column& column : columns) row.push_back(text_at(item, column.path));
  }
  std::vector<size_t> widths(columns.size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out += std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string print_item(const JsonValue& item) {
  if (!item.as_object()) return to_text(item) + '\n';
  std::string out;
  append_item(out, item, 0);
  return out;
}

std::string print_json(const JsonValue& value) {
  std::string out;
  append_json(out, value, 0);
  return out + '\n';
}

std::string print_yaml(const JsonValue& value) {
  if (is_leaf(value)) return to_json_text(value) + '\n';
  std::string out;
  append_yaml(out, value, 0);
  return out;
}

}  // namespace partywall::cli
