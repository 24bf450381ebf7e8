#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engines/redis.h"

struct redisReader;
struct redisReply;

namespace partywall::redis {

// Finds replies in what a Redis sends, in whatever pieces it comes: hiredis' parser without its
// sockets, for those who have a connection of their own.
class ReplyReader {
 public:
  ReplyReader();

  void feed(std::string_view bytes);
  // The next reply that is whole, or nothing. A failure means that the bytes are no RESP: the
  // connection is of no use any more.
  Result<std::optional<Reply>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
};

// Appends a request of these words, which may hold any bytes.
void append_request(std::string& out, std::span<const std::string> words);

// For the two readers of hiredis' replies.
[[nodiscard]] Reply to_reply(const redisReply& raw);

}  // namespace partywall::redis
