#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The client's messages of the extended query protocol, as far as the door reads them. Strings
// point into the body.
namespace partywall::sql {

struct ParseMessage {
  std::string_view statement;
  std::string_view query;
  std::string_view definition;  // the query with its zero byte, and the parameter types: the rest
                                // of the body, the same whatever the statement is called

  // 0: not given by the client.
  [[nodiscard]] uint32_t parameter_type(size_t index) const;
};
std::optional<ParseMessage> read_parse(std::string_view body);

// The front of a Bind, which may be all that has come yet.
struct BindTarget {
  std::string_view portal;
  std::string_view statement;
  size_t length = 0;  // of the two names with their zero bytes
};
std::optional<BindTarget> read_bind_target(std::string_view front_of_body);

// A whole Bind.
struct BindMessage {
  BindTarget target;
  std::vector<uint16_t> formats;  // of the values: none (all text), one for all, or one for each
  std::vector<std::optional<std::string_view>> values;  // nullopt: NULL
  uint16_t result_format = 0;                           // of the first column: 0 text, 1 binary

  [[nodiscard]] bool is_binary(size_t index) const;
};
std::optional<BindMessage> read_bind(std::string_view body);

// Describe and Close name a statement ('S') or a portal ('P').
struct TargetMessage {
  char what = 'S';
  std::string_view name;
};
std::optional<TargetMessage> read_target(std::string_view body);

struct ExecuteMessage {
  std::string_view portal;
  uint32_t max_rows = 0;  // 0: all
};
std::optional<ExecuteMessage> read_execute(std::string_view body);

// Appends, for the statement of that name.
void append_parse(std::string& out, std::string_view statement, std::string_view definition);
void append_target(std::string& out, char type, char what, std::string_view name);

}  // namespace partywall::sql
