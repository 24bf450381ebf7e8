#include "base/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <limits>
#include <unordered_set>
#include <utility>

namespace partywall {
namespace {

using boost::json::error_code;
using Text = boost::json::string_view;

constexpr size_t kNamesComparedOneByOne = 16;
constexpr const char* kDuplicate = "this name appears twice in its object";
constexpr const char* kNumberRange = "the number is outside the range of a double";

const JsonMember* find_member(const JsonObject& members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &JsonMember::name);
  return found == members.end() ? nullptr : &*found;
}

// An object or array that is being read.
struct Frame {
  bool is_object = false;
  JsonObject members;
  JsonArray elements;
  std::string name;                       // of the member whose value comes next
  std::unordered_set<std::string> names;  // filled once there are too many to compare one by one

  // False if the object has it already.
  bool add_name(std::string candidate) {
    if (members.size() < kNamesComparedOneByOne) {
      if (find_member(members, candidate) != nullptr) return false;
    } else {
      if (names.empty()) {
        for (const JsonMember& member : members) names.insert(member.name);
      }
      if (!names.insert(candidate).second) return false;
    }
    name = std::move(candidate);
    return true;
  }
};

// Receives what Boost.JSON's parser sees and builds the value from it.
struct Builder {
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_array_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_key_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_string_size = std::numeric_limits<size_t>::max();

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open(true); }
  bool on_array_begin(error_code&) { return open(false); }
  bool on_object_end(size_t, error_code&) { return close(); }
  bool on_array_end(size_t, error_code&) { return close(); }
  bool on_key_part(Text part, size_t, error_code&) { return collect(part); }
  bool on_key(Text part, size_t, error_code& error) {
    collect(part);
    return frames.back().add_name(std::exchange(text, {})) || refuse(kDuplicate, error);
  }
  bool on_string_part(Text part, size_t, error_code&) { return collect(part); }
  bool on_string(Text part, size_t, error_code&) {
    collect(part);
    return add(JsonValue(std::exchange(text, {})));
  }
  bool on_number_part(Text part, error_code&) { return collect(part); }
  bool on_int64(int64_t number, Text, error_code&) {
    text.clear();
    return add(JsonValue(number));
  }
  bool on_uint64(uint64_t number, Text, error_code&) {
    text.clear();
    return add(JsonValue(number));
  }
  // Read again by the standard library: Boost 1.81 does not round to the nearest double.
  bool on_double(double, Text part, error_code& error) {
    collect(part);
    const std::string written = std::exchange(text, {});
    double number = 0;
    const auto [end, problem] =
        std::from_chars(written.data(), written.data() + written.size(), number);
    if (problem != std::errc() || end != written.data() + written.size())
      return refuse(kNumberRange, error);
    return add(JsonValue(number));
  }
  bool on_bool(bool flag, error_code&) { return add(JsonValue(flag)); }
  bool on_null(error_code&) { return add(JsonValue()); }
  bool on_comment_part(Text, error_code&) { return false; }
  bool on_comment(Text, error_code&) { return false; }

  bool collect(Text part) {
    text.append(part.data(), part.size());
    return true;
  }

  bool open(bool is_object) {
    frames.emplace_back().is_object = is_object;
    return true;
  }

  bool close() {
    Frame done = std::move(frames.back());
    frames.pop_back();
    return add(done.is_object ? JsonValue(std::move(done.members))
                              : JsonValue(std::move(done.elements)));
  }

  bool add(JsonValue value) {
    if (frames.empty()) {
      root = std::move(value);
    } else if (Frame& frame = frames.back(); frame.is_object) {
      frame.members.push_back({std::move(frame.name), std::move(value)});
    } else {
      frame.elements.push_back(std::move(value));
    }
    return true;
  }

  bool refuse(const char* why, error_code& error) {
    refusal = why;
    error = boost::json::error::syntax;
    return false;
  }

  JsonValue root;
  std::vector<Frame> frames;
  std::string text;  // the parts of a name, string or number seen so far
  const char* refusal = nullptr;
};

using Parser = boost::json::basic_parser<Builder>;

boost::json::parse_options options_for(const JsonLimits& limits) {
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  return options;
}

std::string_view describe(const error_code& error, const Builder& builder) {
  if (builder.refusal != nullptr) return builder.refusal;
  switch (static_cast<boost::json::error>(error.value())) {
    case boost::json::error::incomplete:
      return "the text ends too early";
    case boost::json::error::too_deep:
      return "arrays and objects are nested too deeply";
    default:
      return "this is not JSON";
  }
}

// The parser does not say where it stopped. Only when it failed, the text is read once more, byte
// by byte: the byte it fails at is the place.
size_t find_position(std::string_view text, const JsonLimits& limits) {
  Parser parser(options_for(limits));
  error_code error;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t consumed = parser.write_some(true, text.data() + i, 1, error);
    if (error || consumed == 0) return i;
  }
  return text.size();
}

std::unexpected<Error> fail_at(size_t position, std::string_view text, std::string_view why) {
  const std::string_view before = text.substr(0, position);
  const auto line = std::ranges::count(before, '\n') + 1;
  const size_t line_start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fail(ErrorKind::kInvalid, "line {}, column {}: {}", line, position - line_start + 1, why);
}

}  // namespace

Result<JsonValue> JsonValue::parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return fail(ErrorKind::kInvalid, "the JSON text has {} bytes; at most {} are read", text.size(),
                limits.max_bytes);
  }
  Parser parser(options_for(limits));
  error_code error;
  const size_t consumed = parser.write_some(false, text.data(), text.size(), error);
  if (error) return fail_at(find_position(text, limits), text, describe(error, parser.handler()));
  if (consumed < text.size())
    return fail_at(consumed, text, "something follows the end of the value");
  return std::move(parser.handler().root);
}

JsonValue::JsonValue() = default;
JsonValue::JsonValue(bool flag) : value_(flag) {}
JsonValue::JsonValue(int64_t number) : value_(number) {}
JsonValue::JsonValue(double number) : value_(number) {}
JsonValue::JsonValue(std::string text) : value_(std::move(text)) {}
JsonValue::JsonValue(JsonArray elements) : value_(std::move(elements)) {}
JsonValue::JsonValue(JsonObject members) : value_(std::move(members)) {}
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::~JsonValue() = default;

JsonValue::JsonValue(uint64_t number) {
  if (number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    value_ = static_cast<int64_t>(number);
  } else {
    value_ = number;
  }
}

std::string_view JsonValue::type_name() const {
  constexpr std::array<std::string_view, 8> kNames = {"null",   "boolean", "number", "number",
                                                      "number", "string",  "array",  "object"};
  return kNames.at(value_.index());
}

std::optional<bool> JsonValue::as_bool() const {
  const bool* flag = std::get_if<bool>(&value_);
  return flag ? std::optional(*flag) : std::nullopt;
}

std::optional<int64_t> JsonValue::as_int64() const {
  const int64_t* number = std::get_if<int64_t>(&value_);
  return number ? std::optional(*number) : std::nullopt;
}

std::optional<uint64_t> JsonValue::as_uint64() const {
  if (const uint64_t* number = std::get_if<uint64_t>(&value_)) return *number;
  const int64_t* number = std::get_if<int64_t>(&value_);
  return number && *number >= 0 ? std::optional(static_cast<uint64_t>(*number)) : std::nullopt;
}

std::optional<double> JsonValue::as_double() const {
  if (const double* number = std::get_if<double>(&value_)) return *number;
  if (const int64_t* number = std::get_if<int64_t>(&value_)) return static_cast<double>(*number);
  if (const uint64_t* number = std::get_if<uint64_t>(&value_)) return static_cast<double>(*number);
  return std::nullopt;
}

const JsonValue* JsonValue::find(std::string_view name) const {
  const JsonObject* object = as_object();
  if (object == nullptr) return nullptr;
  const JsonMember* member = find_member(*object, name);
  return member ? &member->value : nullptr;
}

const std::string* JsonValue::find_string(std::string_view name) const {
  const JsonValue* value = find(name);
  return value ? value->as_string() : nullptr;
}

bool JsonValue::operator==(const JsonValue&) const = default;

}  // namespace partywall
