// Any bytes as JSON: what is accepted can be written and read again as the same value; what is
// refused names a place within the text.
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/json_writer.h"

namespace {

using namespace partywall;

constexpr JsonLimits kLimits{.max_bytes = 4096, .max_depth = 16};

void write(JsonWriter& json, const JsonValue& value) {
  if (value.is_null()) {
    json.null();
  } else if (const auto flag = value.as_bool()) {
    json.value(*flag);
  } else if (const auto whole = value.as_int64()) {
    json.value(*whole);
  } else if (const auto large = value.as_uint64()) {
    json.value(*large);
  } else if (const auto number = value.as_double()) {
    if (!std::isfinite(*number)) std::abort();
    json.value(*number);
  } else if (const std::string* text = value.as_string()) {
    json.value(*text);
  } else if (const JsonArray* elements = value.as_array()) {
    json.begin_array();
    for (const JsonValue& element : *elements) write(json, element);
    json.end_array();
  } else {
    json.begin_object();
    for (const JsonMember& member : *value.as_object()) {
      if (value.find(member.name) != &member.value) std::abort();  // a name appears twice
      json.key(member.name);
      write(json, member.value);
    }
    json.end_object();
  }
}

// A double without a fraction is written as an integer, so numbers are compared as numbers.
bool is_same(const JsonValue& a, const JsonValue& b) {
  if (a.as_double() || b.as_double()) return a.as_double() == b.as_double();
  if (a.as_array() && b.as_array()) {
    if (a.as_array()->size() != b.as_array()->size()) return false;
    for (size_t i = 0; i < a.as_array()->size(); ++i) {
      if (!is_same((*a.as_array())[i], (*b.as_array())[i])) return false;
    }
    return true;
  }
  if (a.as_object() && b.as_object()) {
    if (a.as_object()->size() != b.as_object()->size()) return false;
    for (size_t i = 0; i < a.as_object()->size(); ++i) {
      const JsonMember& left = (*a.as_object())[i];
      const JsonMember& right = (*b.as_object())[i];
      if (left.name != right.name || !is_same(left.value, right.value)) return false;
    }
    return true;
  }
  return a == b;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = JsonValue::parse(text, kLimits);
  if (!value) {
    if (value.error().kind != ErrorKind::kInvalid || value.error().message.empty()) std::abort();
    return 0;
  }
  std::string written;
  JsonWriter json(written);
  write(json, *value);
  const auto again = JsonValue::parse(written, {.max_bytes = 64 * 1024, .max_depth = 16});
  if (!again || !is_same(*value, *again)) std::abort();
  return 0;
}
