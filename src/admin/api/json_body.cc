#include "admin/api/json_body.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "base/text.h"

namespace partywall::admin {

JsonReader::JsonReader(const JsonValue& value, std::string where)
    : value_(value), where_(std::move(where)) {
  if (!value.as_object()) reject("", fmt::format("must be an object, not {}", value.type_name()));
}

void JsonReader::reject(std::string_view name, std::string_view why) {
  if (failure_) return;
  std::string place = where_;
  if (!name.empty()) place += (place.empty() ? "" : ".") + std::string(name);
  if (place.empty()) place = "the body";
  failure_ = invalid_body(fmt::format("{} {}", place, why));
}

void JsonReader::take(const ApiResult<>& part) {
  if (!part && !failure_) failure_ = part.error();
}

const JsonValue* JsonReader::find(std::string_view name) {
  known_.push_back(name);
  const JsonValue* const member = value_.find(name);
  return member && !member->is_null() ? member : nullptr;
}

bool JsonReader::has(std::string_view name) const { return value_.find(name) != nullptr; }

std::optional<std::string> JsonReader::text(std::string_view name, size_t most_bytes) {
  const JsonValue* const member = find(name);
  if (!member) return std::nullopt;
  const std::string* const text = member->as_string();
  if (!text) {
    reject(name, fmt::format("must be a string, not {}", member->type_name()));
    return std::nullopt;
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (text->size() > most_bytes) reject(name, fmt::format("has more than {} bytes", most_bytes));
  if (std::ranges::any_of(*text, is_control)) reject(name, "has control characters");
  return *text;
}

std::string JsonReader::required_text(std::string_view name, size_t most_bytes) {
  auto value = text(name, most_bytes);
  if (!value || value->empty()) reject(name, "is missing");
  return value.value_or("");
}

std::optional<bool> JsonReader::flag(std::string_view name) {
  const JsonValue* const member = find(name);
  if (!member) return std::nullopt;
  const auto flag = member->as_bool();
  if (!flag) reject(name, fmt::format("must be true or false, not {}", member->type_name()));
  return flag;
}

std::optional<int64_t> JsonReader::number(std::string_view name, int64_t least, int64_t most) {
  const JsonValue* const member = find(name);
  if (!member) return std::nullopt;
  const auto number = member->as_int64();
  if (!number || *number < least || *number > most) {
    reject(name, fmt::format("must be a whole number, {} to {}", least, most));
    return std::nullopt;
  }
  return number;
}

std::optional<WallTime> JsonReader::time(std::string_view name) {
  const auto written = text(name);
  if (!written) return std::nullopt;
  const auto time = parse_rfc3339(*written);
  if (!time) {
    reject(name, "must be a time in UTC, like 2026-11-25T22:18:02Z");
    return std::nullopt;
  }
  return *time;
}

const JsonValue* JsonReader::any(std::string_view name) { return find(name); }

const JsonArray* JsonReader::array(std::string_view name, size_t most) {
  const JsonValue* const member = find(name);
  if (!member) return nullptr;
  const JsonArray* const elements = member->as_array();
  if (!elements) reject(name, fmt::format("must be an array, not {}", member->type_name()));
  if (elements && elements->size() > most)
    reject(name, fmt::format("has more than {} elements", most));
  return elements;
}

ApiResult<> JsonReader::result() {
  if (const JsonObject* const members = value_.as_object()) {
    for (const JsonMember& member : *members) {
      if (std::ranges::find(known_, member.name) == known_.end())
        reject(member.name, "is not known here" + suggestion(member.name, known_));
    }
  }
  if (failure_) return refuse(*failure_);
  return {};
}

ApiResult<JsonValue> parse_body(const Request& request, size_t max_bytes) {
  // Browsers send other types across origins without asking; this one they ask for.
  std::string_view type = request.header("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (type != "application/json") {
    return refuse({415, "unsupported-media-type", "Unsupported Media Type",
                   "Send the body as application/json."});
  }
  auto parsed = JsonValue::parse(request.body, {.max_bytes = max_bytes, .max_depth = 16});
  if (!parsed) return refuse(invalid_body("the body is not JSON: " + parsed.error().message));
  return *std::move(parsed);
}

ApiResult<JsonValue> parse_optional_body(const Request& request) {
  if (request.body.empty()) return JsonValue(JsonObject());
  return parse_body(request);
}

}  // namespace partywall::admin
