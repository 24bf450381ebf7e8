#include "engines/redis_reader.h"

#include <iterator>
#include <new>

#include <hiredis/hiredis.h>

namespace partywall::redis {

Reply to_reply(const redisReply& raw) {
  Reply reply;
  switch (raw.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::kText;
      reply.text.assign(raw.str, static_cast<size_t>(raw.len));
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Reply::Kind::kError;
      reply.text.assign(raw.str, static_cast<size_t>(raw.len));
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::kNumber;
      reply.number = raw.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::kList;
      for (size_t i = 0; i < raw.elements; ++i) reply.items.push_back(to_reply(*raw.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
}

// A failure to take them shows at the next reply.
void ReplyReader::feed(std::string_view bytes) {
  redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

Result<std::optional<Reply>> ReplyReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
    return fail(ErrorKind::kInvalid, "no reply of a Redis: {}", std::string(reader_->errstr));
  }
  if (raw == nullptr) return std::nullopt;
  const auto* reply = static_cast<redisReply*>(raw);
  Reply converted = to_reply(*reply);
  freeReplyObject(raw);
  return converted;
}

void append_request(std::string& out, std::span<const std::string> words) {
  fmt::format_to(std::back_inserter(out), "*{}\r\n", words.size());
  for (const std::string& word : words) {
    fmt::format_to(std::back_inserter(out), "${}\r\n", word.size());
    out += word;
    out += "\r\n";
  }
}

}  // namespace partywall::redis
