#include "cache/resp/reply_tree.h"

#include "base/text.h"

namespace partywall::cache {
namespace {

class TreeParser {
 public:
  explicit TreeParser(std::string_view bytes) : rest_(bytes) {}

  bool parse(ReplyTree& tree, int depth) {
    if (depth > kMaxReplyDepth) return false;
    const auto line = take_line();
    if (!line || line->empty()) return false;
    tree.type = line->front();
    const std::string_view value = line->substr(1);
    switch (tree.type) {
      case '$':
      case '!':
      case '=':
        return parse_text(tree, value);
      case '*':
      case '>':
      case '~':
        return parse_items(tree, value, 1, depth);
      case '%':
        return parse_items(tree, value, 2, depth);
      case ':':
        return parse_number(value, tree.number);
      case '+':
      case '-':
      case ',':
      case '#':
      case '(':
      case '_':
        tree.text = value;
        return true;
      default:
        return false;
    }
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::optional<std::string_view> take_line() {
    const size_t end = rest_.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return line;
  }

  static bool parse_number(std::string_view text, int64_t& number) {
    const auto parsed = parse_signed(text);
    if (parsed) number = *parsed;
    return parsed.has_value();
  }

  bool parse_text(ReplyTree& tree, std::string_view length) {
    int64_t size = 0;
    if (!parse_number(length, size)) return false;
    if (size < 0) {
      tree.type = '_';
      return true;
    }
    const auto bytes = static_cast<uint64_t>(size);
    if (rest_.size() < 2 || bytes > rest_.size() - 2) return false;
    tree.text = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes + 2);
    return true;
  }

  bool parse_items(ReplyTree& tree, std::string_view length, int64_t per_count, int depth) {
    int64_t count = 0;
    if (!parse_number(length, count)) return false;
    if (count < 0) {
      tree.type = '_';
      return true;
    }
    if (static_cast<uint64_t>(count) > rest_.size()) return false;
    for (int64_t i = 0; i < count * per_count; ++i) {
      if (rest_.empty() || !parse(tree.items.emplace_back(), depth + 1)) return false;
    }
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<ReplyTree> parse_reply_tree(std::string_view reply) {
  TreeParser parser(reply);
  ReplyTree tree;
  if (!parser.parse(tree, 1) || !parser.at_end()) return std::nullopt;
  return tree;
}

}  // namespace partywall::cache
