#include "engines/redis.h"

#include <hiredis/hiredis.h>
#include <sys/time.h>

namespace partywall::redis {
namespace {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

timeval to_timeval(Duration duration) {
  const auto whole = std::chrono::floor<seconds>(duration);
  return {.tv_sec = whole.count(),
          .tv_usec = std::chrono::duration_cast<microseconds>(duration - whole).count()};
}

Reply convert(const redisReply& raw) {
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
      for (size_t i = 0; i < raw.elements; ++i) reply.items.push_back(convert(*raw.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

redisContext* connect(const ConnectionSettings& settings) {
  const timeval timeout = to_timeval(settings.connect_timeout);
  const Endpoint& endpoint = settings.endpoint;
  if (endpoint.is_unix()) return redisConnectUnixWithTimeout(endpoint.address.c_str(), timeout);
  return redisConnectWithTimeout(endpoint.address.c_str(), endpoint.port, timeout);
}

}  // namespace

std::string to_string(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::kNil:
      return "(nil)";
    case Reply::Kind::kText:
      return reply.text;
    case Reply::Kind::kNumber:
      return std::to_string(reply.number);
    case Reply::Kind::kError:
      return "error " + reply.text;
    case Reply::Kind::kList:
      break;
  }
  std::string text = "[";
  for (const Reply& item : reply.items) text += (text.size() > 1 ? ", " : "") + to_string(item);
  return text + "]";
}

void Connection::Free::operator()(redisContext* context) const { redisFree(context); }

Result<Connection> Connection::open(const ConnectionSettings& settings) {
  Connection connection(connect(settings));
  const auto& context = connection.context_;
  if (!context || context->err != 0) {
    return fail(ErrorKind::kUnavailable, "Redis at {}: {}", settings.endpoint.to_string(),
                context ? context->errstr : "out of memory");
  }
  if (redisSetTimeout(context.get(), to_timeval(settings.command_timeout)) != REDIS_OK) {
    return fail(ErrorKind::kInternal, "Redis at {}: {}", settings.endpoint.to_string(),
                context->errstr);
  }
  if (settings.user.empty()) return connection;
  const auto answer =
      connection.command({"AUTH", settings.user, std::string(settings.password.reveal())});
  if (!answer) return std::unexpected(answer.error());
  if (answer->is_ok()) return connection;
  return fail(ErrorKind::kDenied, "Redis at {} refuses the login of {}: {}",
              settings.endpoint.to_string(), settings.user, answer->text);
}

Result<Reply> Connection::command(const std::vector<std::string>& words) {
  std::vector<const char*> pointers;
  std::vector<size_t> lengths;
  for (const std::string& word : words) {
    pointers.push_back(word.data());
    lengths.push_back(word.size());
  }
  const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(redisCommandArgv(
      context_.get(), static_cast<int>(words.size()), pointers.data(), lengths.data())));
  if (!reply)
    return fail(ErrorKind::kUnavailable, "Redis: {}: {}", words.empty() ? "" : words.front(),
                context_->errstr);
  return convert(*reply);
}

Result<> Connection::expect_ok(const std::vector<std::string>& words) {
  const auto reply = command(words);
  if (!reply) return std::unexpected(reply.error());
  if (reply->is_ok()) return {};
  return fail(reply->is_error() ? ErrorKind::kDenied : ErrorKind::kInternal, "Redis: {}: {}",
              words.front(), to_string(*reply));
}

}  // namespace partywall::redis
