#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

// A strict reader of JSON (RFC 8259) from outside: claims, key sets, the admin API. Whoever signs
// or checks a document and whoever acts on it must read the same thing, so that everything on which
// readers differ is refused: members that appear twice, invalid UTF-8, comments, trailing commas,
// anything after the value, numbers beyond a double's range.
namespace partywall {

struct JsonLimits {
  size_t max_bytes = 64 * 1024;
  size_t max_depth = 32;  // nested arrays and objects
};

class JsonValue;
struct JsonMember;
using JsonArray = std::vector<JsonValue>;
using JsonObject = std::vector<JsonMember>;  // in the order of the text; names are unique

// An immutable value. Each accessor gives nothing where the value is of another type.
class JsonValue {
 public:
  // kInvalid, with line and column (in bytes, from 1) of the first byte that is wrong.
  static Result<JsonValue> parse(std::string_view text, const JsonLimits& limits = {});

  // A value holds values of its own type, which is complete only below: so all of these are defined
  // in the .cc.
  JsonValue();  // null
  explicit JsonValue(bool flag);
  explicit JsonValue(int64_t number);
  explicit JsonValue(uint64_t number);
  explicit JsonValue(double number);
  explicit JsonValue(std::string text);
  explicit JsonValue(const char*) = delete;  // would be a boolean
  explicit JsonValue(JsonArray elements);
  explicit JsonValue(JsonObject members);
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;
  ~JsonValue();

  // "null", "boolean", "number", "string", "array" or "object": for messages.
  [[nodiscard]] std::string_view type_name() const;

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] std::optional<bool> as_bool() const;
  // Numbers written without fraction and exponent that fit: exact.
  [[nodiscard]] std::optional<int64_t> as_int64() const;
  [[nodiscard]] std::optional<uint64_t> as_uint64() const;
  // Any number, rounded to the nearest double.
  [[nodiscard]] std::optional<double> as_double() const;
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const JsonArray* as_array() const { return std::get_if<JsonArray>(&value_); }
  [[nodiscard]] const JsonObject* as_object() const { return std::get_if<JsonObject>(&value_); }

  // The member of an object; nullptr if there is none or this is no object.
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
  // The same if it is a string.
  [[nodiscard]] const std::string* find_string(std::string_view name) const;

  bool operator==(const JsonValue&) const;

 private:
  // uint64_t only above the range of int64_t, so that each integer has one representation.
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, JsonArray, JsonObject>
      value_;
};

struct JsonMember {
  std::string name;
  JsonValue value;

  bool operator==(const JsonMember&) const = default;
};

}  // namespace partywall
