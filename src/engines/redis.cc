#include "engines/redis.h"

#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>

#include <hiredis/hiredis.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "engines/redis_reader.h"

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
  connection.place_ = settings.endpoint.to_string();
  if (settings.tls) {
    auto tls = TlsSession::start(context->fd, *settings.tls);
    if (!tls) return fail_with_context("Redis at " + connection.place_, tls.error());
    connection.tls_ = std::move(*tls);
  }
  if (auto done = connection.log_in(settings); !done) return std::unexpected(done.error());
  return connection;
}

Result<> Connection::log_in(const ConnectionSettings& settings) {
  if (settings.user.empty()) return {};
  const auto answer = command({"AUTH", settings.user, std::string(settings.password.reveal())});
  if (!answer) return std::unexpected(answer.error());
  if (answer->is_ok()) return {};
  return fail(ErrorKind::kDenied, "Redis at {} refuses the login of {}: {}", place_, settings.user,
              answer->text);
}

Result<Reply> Connection::command(const std::vector<std::string>& words) {
  if (auto sent = send(words); !sent) return std::unexpected(sent.error());
  return receive();
}

Result<> Connection::send(const std::vector<std::string>& words) {
  constexpr size_t kMuch = 256UL << 10;
  append_request(unsent_, words);
  return unsent_.size() < kMuch ? Result<>() : flush();
}

Result<Reply> Connection::receive() {
  if (auto sent = flush(); !sent) return std::unexpected(sent.error());
  std::array<char, 64UL << 10> buffer;
  while (true) {
    void* raw = nullptr;
    if (redisReaderGetReply(context_->reader, &raw) != REDIS_OK)
      return broken(context_->reader->errstr);
    if (raw != nullptr) {
      const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
      return to_reply(*reply);
    }
    const auto count = read_some(buffer);
    if (!count) return broken(count.error().message);
    redisReaderFeed(context_->reader, buffer.data(), *count);
  }
}

Result<> Connection::flush() {
  std::string_view rest = unsent_;
  while (!rest.empty() && !tls_) {
    const ssize_t count = ::send(context_->fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return broken(std::system_category().message(errno));
    rest.remove_prefix(static_cast<size_t>(count));
  }
  if (tls_) {
    if (auto written = tls_->write(rest); !written) return broken(written.error().message);
  }
  unsent_.clear();
  return {};
}

Result<size_t> Connection::read_some(std::span<char> into) {
  if (tls_) return tls_->read(into);
  while (true) {
    const ssize_t count = ::recv(context_->fd, into.data(), into.size(), 0);
    if (count > 0) return static_cast<size_t>(count);
    if (count == 0) return fail(ErrorKind::kClosed, "the server closed the connection");
    if (errno == EINTR) continue;
    const bool timed_out = errno == EAGAIN || errno == EWOULDBLOCK;
    return fail(ErrorKind::kUnavailable, "{}",
                timed_out ? "no answer in time" : std::system_category().message(errno));
  }
}

std::unexpected<Error> Connection::broken(std::string_view why) const {
  return fail(ErrorKind::kUnavailable, "Redis at {}: {}", place_, why);
}

Result<> Connection::expect_ok(const std::vector<std::string>& words) {
  const auto reply = command(words);
  if (!reply) return std::unexpected(reply.error());
  if (reply->is_ok()) return {};
  return fail(reply->is_error() ? ErrorKind::kDenied : ErrorKind::kInternal, "Redis at {}: {}: {}",
              place_, words.front(), to_string(*reply));
}

}  // namespace partywall::redis
