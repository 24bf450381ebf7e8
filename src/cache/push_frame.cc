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

enum class Name : uint8_t { kNone, kChannel, kShardChannel, kPattern };

// What stands behind the first element, and what the frame is.
struct Shape {
  PushFrame::Kind kind = PushFrame::Kind::kOther;
  std::array<Name, 2> names{};  // of the second and third element
  size_t count = 0;             // of all elements
};

std::optional<Shape> shape_of(std::string_view name) {
  using Kind = PushFrame::Kind;
  if (name == "message") return Shape{Kind::kMessage, {Name::kChannel}, 3};
  if (name == "smessage") return Shape{Kind::kMessage, {Name::kShardChannel}, 3};
  if (name == "pmessage") return Shape{Kind::kMessage, {Name::kPattern, Name::kChannel}, 4};
  if (name == "pong") return Shape{Kind::kOther, {}, 2};
  if (!name.ends_with("subscribe")) return std::nullopt;
  if (name.starts_with('p')) return Shape{Kind::kConfirmation, {Name::kPattern}, 3};
  const bool shard = name.starts_with("ss") || name.starts_with("sun");
  return Shape{Kind::kConfirmation, {shard ? Name::kShardChannel : Name::kChannel}, 3};
}

std::optional<std::string> own_name(std::string_view name, Name what, const ChannelNames& names) {
  return what == Name::kPattern ? names.pattern_from_redis(name) : names.from_redis(name);
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

std::optional<PushFrame> read_push_frame(std::string_view frame, const ChannelNames& names) {
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
    const Name what = i == 1 || i == 2 ? shape->names[i - 1] : Name::kNone;
    if (what == Name::kNone ||
        (is_null(element) && shape->kind == PushFrame::Kind::kConfirmation)) {
      out.text += element.encoded;
      continue;
    }
    const auto name =
        element.type == '$' ? own_name(element.text, what, names) : std::optional<std::string>();
    if (!name) {
      // Of the patterns for keyspace notifications this one kind matches more than it is meant to.
      const bool by_pattern = i == 2 && elements->items[1].text.starts_with("__key*");
      return by_pattern ? std::optional(PushFrame{PushFrame::Kind::kForeign, {}}) : std::nullopt;
    }
    append_bulk(out.text, *name);
    if (what != Name::kPattern) {
      out.channel_begin = out.text.size() - 2 - name->size();
      out.channel_length = name->size();
    }
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
