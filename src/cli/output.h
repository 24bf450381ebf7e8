#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

// How answers are shown: to people as tables, to programs as JSON or YAML.
namespace partywall::cli {

enum class OutputFormat { kTable, kJson, kYaml };

// A column: its heading, and the path of the member that it shows ("placement.cell").
struct Column {
  std::string_view heading;
  std::string_view path;
};

// One line an item, columns aligned; absent and null are "-".
std::string print_table(const JsonArray& items, const std::vector<Column>& columns);
// One line a member, nested ones indented: a single item for people.
std::string print_item(const JsonValue& item);
std::string print_json(const JsonValue& value);  // indented
std::string print_yaml(const JsonValue& value);

// What comes from tenants or their databases must not move the cursor of whoever looks at it.
std::string printable(std::string text);

// The value at a '.'-separated path as text; "-" if there is none.
std::string text_at(const JsonValue& value, std::string_view path);
// The same for a text of several lines, which stay lines.
std::string lines_at(const JsonValue& value, std::string_view path);

}  // namespace partywall::cli
