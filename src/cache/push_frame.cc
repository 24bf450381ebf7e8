#include "cache/push_frame.h"

#include <array>
#include <cstddef>
#include <initializer_list>

#include <fmt/format.h>

#include "cache/glob.h"
#include "cache/keyspace_channel.h"
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

// Begins a frame of the same type with so many elements.
void append_frame_header(std::string& out, char type, size_t count) {
  const size_t at = out.size();
  append_array_header(out, count);
  out[at] = type;
}

void append_message(PushFrame& frame, char type, std::initializer_list<std::string_view> elements,
                    std::string_view channel) {
  append_frame_header(frame.text, type, elements.size());
  for (const std::string_view element : elements) {
    append_bulk(frame.text, element);
    if (element.data() != channel.data()) continue;
    frame.channel_begin = frame.text.size() - 2 - element.size();
    frame.channel_length = element.size();
  }
}

// A message that a pattern of KeyEvents has brought: what the client has asked for, in its words.
// One change of a key may be two messages to it, by key and by event.
std::optional<PushFrame> read_key_event(const Elements& elements, const KeyEvents::Asked& asked,
                                        const KeyEvents& events) {
  const std::string_view event = elements.items[3].text;
  if (!events.is_own(elements.items[2].text)) return std::nullopt;
  const auto key = events.key_of(elements.items[2].text);
  const auto wanted = parse_keyspace_channel(asked.name);
  PushFrame out{.kind = PushFrame::Kind::kForeign, .text = {}};
  if (!key || !wanted) return out;
  const char type = elements.frame_type;
  const bool by_pattern = asked.as == KeyEvents::As::kPattern;
  // Where the database is named, Redis has compared the key.
  const bool of_any = wanted->database.empty() || wanted->database == "*";
  const bool compared = wanted->kind == "space" && !of_any;
  if (wanted->kind != "event" && (compared || glob_matches(wanted->rest, key->name))) {
    const std::string channel = fmt::format("__keyspace@{}__:{}", key->database, key->name);
    append_message(out, type, {"pmessage", asked.name, channel, event}, channel);
  }
  const bool fits = by_pattern ? glob_matches(wanted->rest, event) : wanted->rest == event;
  if (wanted->kind != "space" && fits) {
    const std::string channel = fmt::format("__keyevent@{}__:{}", key->database, event);
    if (by_pattern) {
      append_message(out, type, {"pmessage", asked.name, channel, key->name}, channel);
    } else {
      append_message(out, type, {"message", channel, key->name}, channel);
    }
  }
  if (!out.text.empty()) out.kind = PushFrame::Kind::kMessage;
  return out;
}

PushFrame read_confirmation(const Elements& elements, const KeyEvents::Asked& asked) {
  PushFrame out{.kind = PushFrame::Kind::kConfirmation, .text = {}};
  const bool of_channel = asked.as == KeyEvents::As::kChannel;
  append_frame_header(out.text, elements.frame_type, elements.count);
  append_bulk(out.text, elements.items[0].text.substr(of_channel ? 1 : 0));
  if (asked.as == KeyEvents::As::kNothing) {
    append_null(out.text, elements.frame_type == '>' ? Protocol::kResp3 : Protocol::kResp2);
  } else {
    append_bulk(out.text, asked.name);
  }
  out.text += elements.items[2].encoded;
  return out;
}

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

  if (shape->names[0] == Name::kPattern) {
    const auto asked = names.key_events().from_pattern(elements->items[1].text);
    if (asked && shape->kind == PushFrame::Kind::kConfirmation)
      return read_confirmation(*elements, *asked);
    if (asked) return read_key_event(*elements, *asked, names.key_events());
  }
  PushFrame out{.kind = shape->kind, .text = {}};
  out.text.reserve(frame.size());
  append_frame_header(out.text, elements->frame_type, elements->count);
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
