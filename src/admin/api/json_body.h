#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/api/api_error.h"
#include "admin/message.h"
#include "base/json.h"
#include "base/time.h"

namespace partywall::admin {

// Reads an object that a caller wrote, strictly: a member that is not known is refused, with a
// suggestion, and so is a value of another type. The first problem is the failure; what is read
// after it is empty. result() must be asked after the last member was read.
class JsonReader {
 public:
  // `value` outlives the reader; `where` names the object in messages ("sql.slots").
  explicit JsonReader(const JsonValue& value, std::string where = {});

  // Absent and null: nothing.
  std::optional<std::string> text(std::string_view name, size_t most_bytes = 200);
  std::string required_text(std::string_view name, size_t most_bytes = 200);
  std::optional<bool> flag(std::string_view name);
  std::optional<int64_t> number(std::string_view name, int64_t least, int64_t most);
  std::optional<WallTime> time(std::string_view name);
  // Whatever it is; nullptr: absent or null.
  const JsonValue* any(std::string_view name);
  const JsonArray* array(std::string_view name, size_t most);
  [[nodiscard]] bool has(std::string_view name) const;

  void reject(std::string_view name, std::string_view why);
  void take(const ApiResult<>& part);
  // Also fails on members that nobody has asked for.
  ApiResult<> result();

 private:
  const JsonValue* find(std::string_view name);

  const JsonValue& value_;
  std::string where_;
  std::vector<std::string_view> known_;
  std::optional<ApiError> failure_;
};

// The JSON document of a request. 415 unless it is application/json; 400 with line and column if
// it is not JSON, has a member twice or is nested too deeply.
ApiResult<JsonValue> parse_body(const Request& request, size_t max_bytes = 1 << 20);
// The same where the body may be left out: an empty object.
ApiResult<JsonValue> parse_optional_body(const Request& request);

}  // namespace partywall::admin
