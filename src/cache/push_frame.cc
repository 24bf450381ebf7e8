#include "cache/push_frame.h"

#include <array>
#include <cstddef>

#include "cache/resp/number.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

constexpr size_t kMaxElements = 4;

struct Element {
  char type = 0;
  std::string_view text;     // of a bulk or simple string
  std::string_view encoded;  // as it came
};

struct Elements {
  char frame_type = 0;
  size_t count = 0;
  std::array<Element, kMaxElements> items;
};

std::optional<Element> read_line_element(std::string_view bytes) {
  const size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return Element{bytes[0], bytes.substr(1, end - 1), bytes.substr(0, end + 2)};
}

std::optional<Element> read_element(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  if (bytes[0] != '$' || bytes.starts_with("$-1\r\n")) return read_line_element(bytes);
  const NumberLine line = read_number_line(bytes, 1);
  if (line.status != NumberLine::Status::kComplete) return std::nullopt;
  const size_t end = line.end + line.value + 2;
  if (end > bytes.size()) return std::nullopt;
  return Element{'$', bytes.substr(line.end, line.value), bytes.substr(0, end)};
}

std::optional<Elements> read_elements(std::string_view frame) {
  Elements elements{.frame_type = frame[0], .count = 0, .items = {}};
  const NumberLine count = read_number_line(frame, 1);
  if (count.status != NumberLine::Status::kComplete || count.value == 0 ||
      count.value > kMaxElements) {
    return std::nullopt;
  }
  frame.remove_prefix(count.end);
  for (size_t i = 0; i < count.value; ++i) {
    const auto element = read_element(frame);
    if (!element) return std::nullopt;
    frame.remove_prefix(element->encoded.size());
    elements.items[elements.count++] = *element;
  }
  if (!frame.empty()) return std::nullopt;
  return elements;
}

// How many elements behind the first one are names, and what the frame is.
struct Shape {
  PushFrame::Kind kind = PushFrame::Kind::kOther;
  size_t names = 0;
  size_t count = 0;  // of all elements
};

std::optional<Shape> shape_of(std::string_view name) {
  if (name == "message" || name == "smessage") return Shape{PushFrame::Kind::kMessage, 1, 3};
  if (name == "pmessage") return Shape{PushFrame::Kind::kMessage, 2, 4};
  if (name.ends_with("subscribe")) return Shape{PushFrame::Kind::kConfirmation, 1, 3};
  if (name == "pong") return Shape{PushFrame::Kind::kOther, 0, 2};
  return std::nullopt;
}

void append_unsubscribed(std::string& out, std::string_view command,
                         std::optional<std::string_view> name, Protocol protocol) {
  out += protocol == Protocol::kResp2 ? "*3\r\n" : ">3\r\n";
  append_bulk(out, command);
  if (name) {
    append_bulk(out, *name);
  } else {
    append_null(out, protocol);
  }
  append_integer(out, 0);
}

bool is_null(const Element& element) { return element.encoded == "$-1\r\n" || element.type == '_'; }

}  // namespace

std::optional<PushFrame> strip_push_frame(std::string_view frame, std::string_view prefix) {
  if (frame.empty()) return std::nullopt;
  if (frame[0] == '-' || frame[0] == '+')
    return PushFrame{PushFrame::Kind::kOther, std::string(frame)};
  if (frame[0] != '*' && frame[0] != '>') return std::nullopt;
  const auto elements = read_elements(frame);
  if (!elements) return std::nullopt;
  const auto shape = shape_of(elements->items[0].text);
  if (!shape || elements->count != shape->count) return std::nullopt;

  PushFrame out{.kind = shape->kind, .text = {}};
  out.text.reserve(frame.size());
  append_array_header(out.text, elements->count);
  out.text[0] = elements->frame_type;
  for (size_t i = 0; i < elements->count; ++i) {
    const Element& element = elements->items[i];
    const bool is_name = i >= 1 && i <= shape->names;
    if (!is_name || (is_null(element) && shape->kind == PushFrame::Kind::kConfirmation)) {
      out.text += element.encoded;
      continue;
    }
    if (element.type != '$' || !element.text.starts_with(prefix)) return std::nullopt;
    append_bulk(out.text, element.text.substr(prefix.size()));
  }
  return out;
}

std::string unsubscribed_from_nothing(const Request& request, std::string_view command,
                                      Protocol protocol) {
  std::string out;
  ArgumentCursor cursor(request);
  cursor.next();
  if (cursor.left() == 0) append_unsubscribed(out, command, std::nullopt, protocol);
  while (const auto name = cursor.next()) append_unsubscribed(out, command, name, protocol);
  return out;
}

}  // namespace partywall::cache
