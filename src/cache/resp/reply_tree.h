#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace partywall::cache {

// A whole reply as values, for the door's own questions to Redis. Replies to clients are never read
// like this: they are passed on as they arrive.
struct ReplyTree {
  char type =
      '_';  // '+', '-', ':', '$', '*', '%' (twice as many items), '>', '~', '_' for any null
  std::string text;
  int64_t number = 0;
  std::vector<ReplyTree> items;

  [[nodiscard]] bool is_error() const { return type == '-' || type == '!'; }
  [[nodiscard]] bool is_list() const { return type == '*' || type == '>' || type == '~'; }
};

// Nothing where `reply` is not exactly one whole reply, or one that is nested deeper than
// kMaxReplyDepth.
inline constexpr int kMaxReplyDepth = 8;
std::optional<ReplyTree> parse_reply_tree(std::string_view reply);

}  // namespace partywall::cache
