#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace partywall::store {

// Reads the members of one of the store's own documents. The first that is missing or of another
// type is the failure; what is read after it is empty. Members that nobody asks for are those of a
// later release, and ignored.
class JsonFields {
 public:
  // `what` names the document in the message; `value` outlives the reader.
  JsonFields(const JsonValue& value, std::string what) : value_(value), what_(std::move(what)) {
    if (!value.as_object()) reject("", "is no object");
  }

  [[nodiscard]] Result<> result() const {
    if (failure_.empty()) return {};
    return fail(ErrorKind::kInvalid, "{}{}", what_, failure_);
  }

  std::string text(std::string_view name) {
    const JsonValue* const member = find(name);
    if (!member) return {};
    if (const std::string* const text = member->as_string()) return *text;
    reject(name, "is no string");
    return {};
  }

  // Empty for null and for what is not there.
  std::string optional_text(std::string_view name) {
    return optional_value(name) ? text(name) : std::string();
  }

  template <std::integral Integer = int64_t>
  Integer number(std::string_view name) {
    const JsonValue* const member = find(name);
    return member ? to_number<Integer>(name, *member) : Integer{};
  }

  bool flag(std::string_view name) {
    const JsonValue* const member = find(name);
    if (!member) return false;
    if (const auto flag = member->as_bool()) return *flag;
    reject(name, "is no boolean");
    return false;
  }

  WallTime time(std::string_view name) { return WallTime(milliseconds(number(name))); }
  Duration duration_ms(std::string_view name) { return milliseconds(number(name)); }

  // Nothing for null and for what is not there.
  template <std::integral Integer = int64_t>
  std::optional<Integer> optional_number(std::string_view name) {
    const JsonValue* const member = value_.find(name);
    if (!member || member->is_null()) return std::nullopt;
    return to_number<Integer>(name, *member);
  }

  std::optional<WallTime> optional_time(std::string_view name) {
    const auto count = optional_number(name);
    return count ? std::optional(WallTime(milliseconds(*count))) : std::nullopt;
  }

  // nullptr for null and for what is not there.
  const JsonValue* optional_value(std::string_view name) {
    const JsonValue* const member = value_.find(name);
    return member && !member->is_null() ? member : nullptr;
  }

  // Calls `read(element)`, which returns Result<>, for each element of the array.
  template <class Read>
  void each(std::string_view name, Read read) {
    const JsonValue* const member = find(name);
    if (!member) return;
    const JsonArray* const elements = member->as_array();
    if (!elements) return reject(name, "is no array");
    for (const JsonValue& element : *elements) take(read(element));
  }

  // Remembers the failure of something that belongs to this document.
  void take(const Result<>& part) {
    if (!part && failure_.empty()) failure_ = ": " + part.error().message;
  }
  template <class T>
  T take(Result<T> part) {
    if (part) return *std::move(part);
    take(Result<>(std::unexpected(part.error())));
    return T{};
  }

 private:
  const JsonValue* find(std::string_view name) {
    const JsonValue* const member = value_.find(name);
    if (!member) reject(name, "is missing");
    return member;
  }

  template <std::integral Integer>
  Integer to_number(std::string_view name, const JsonValue& member) {
    if (const auto number = member.as_int64(); number && std::in_range<Integer>(*number))
      return static_cast<Integer>(*number);
    if (const auto number = member.as_uint64(); number && std::in_range<Integer>(*number))
      return static_cast<Integer>(*number);
    reject(name, "is no number of its range");
    return {};
  }

  void reject(std::string_view name, std::string_view why) {
    if (!failure_.empty()) return;
    failure_ = name.empty() ? fmt::format(" {}", why) : fmt::format(": {} {}", name, why);
  }

  const JsonValue& value_;
  std::string what_;
  std::string failure_;
};

}  // namespace partywall::store
