#include "admin/session.h"

#include <optional>

#include "base/byte_buffer.h"
#include "http/message/body_reader.h"
#include "http/message/framing.h"
#include "http/message/head.h"
#include "http/message/target.h"
#include "net/event.h"

namespace partywall::admin {
namespace {

using http::ParseStatus;

// A request taken apart, or the answer to one that cannot be.
struct Parsed {
  http::RequestHead head;
  http::Target target;
  http::RequestControl control;
  std::string path;
  std::optional<Response> refusal;
};

Response refuse(const http::Fault& fault) {
  return problem(fault.status, "Bad Request", fault.reason);
}

// kNeedMore: the head is not whole yet.
ParseStatus parse(std::string_view bytes, const SessionLimits& limits, Parsed& parsed) {
  const auto head =
      http::parse_request_head(bytes, {.max_bytes = limits.max_head_bytes}, parsed.head);
  if (head.status == ParseStatus::kNeedMore) return ParseStatus::kNeedMore;
  auto outcome = head;
  if (outcome.status == ParseStatus::kComplete) {
    outcome = http::parse_target(parsed.head.method, parsed.head.target, parsed.target);
  }
  if (outcome.status == ParseStatus::kComplete) {
    outcome = http::read_request_control(parsed.head, parsed.target.authority, parsed.control);
  }
  if (outcome.status != ParseStatus::kComplete) {
    parsed.refusal = refuse(outcome.fault);
    return ParseStatus::kInvalid;
  }
  std::string storage;
  const auto path = http::routing_path(parsed.target.path, storage);
  if (!path) {
    parsed.refusal = problem(400, "Bad Request", path.error().message);
    return ParseStatus::kInvalid;
  }
  parsed.path = *path;
  return ParseStatus::kComplete;
}

std::string_view query_of(const http::Target& target) {
  const size_t mark = target.path_and_query.find('?');
  return mark == std::string_view::npos ? std::string_view()
                                        : target.path_and_query.substr(mark + 1);
}

std::string_view reason_of(uint16_t status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

std::string to_wire(const Response& response, bool with_body, bool keep_alive) {
  std::string wire = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n",
      response.status, reason_of(response.status), response.content_type, response.body.size());
  if (!response.allow.empty()) wire += fmt::format("Allow: {}\r\n", response.allow);
  if (!keep_alive) wire += "Connection: close\r\n";
  wire += "\r\n";
  if (with_body) wire += response.body;
  return wire;
}

class Connection {
 public:
  Connection(net::Loop& loop, std::unique_ptr<net::Stream> stream, const Router& router,
             const SessionLimits& limits, net::Drain& drain)
      : loop_(loop),
        stream_(std::move(stream)),
        router_(router),
        limits_(limits),
        drain_(drain),
        wake_(loop),
        idle_(loop.timers(), wake_),
        watch_(drain, wake_) {}

  net::Task<> run() {
    while (co_await serve_one()) {
    }
  }

 private:
  // More bytes are in the buffer. False: the end, silence for too long, or the node stops and
  // nothing has been begun.
  net::Task<bool> receive() {
    idle_.arm(loop_.now() + limits_.read_timeout);
    while (true) {
      const net::IoResult result = stream_->read(received_.prepare(4 * 1024));
      if (result.ok()) {
        received_.commit(result.bytes);
        co_return true;
      }
      if (result.closed() || idle_.fired() || drain_.must_close()) co_return false;
      if (drain_.requested() && received_.empty()) co_return false;
      stream_->arm_read(wake_);
      co_await wake_.wait();
    }
  }

  net::Task<bool> answer(Response response, bool with_body, bool keep_alive) {
    const std::string wire = to_wire(response, with_body, keep_alive);
    const auto written = co_await net::write_all(loop_, *stream_, wire, limits_.write_timeout);
    co_return written&& keep_alive;
  }

  // The body after a head of `head_bytes`, which both stay in the buffer. nullopt: it does not
  // come, or is refused in `refusal`.
  net::Task<std::optional<std::string>> receive_body(const http::Framing& framing,
                                                     size_t head_bytes,
                                                     std::optional<Response>& refusal) {
    http::BodyReader reader(framing);
    std::string body;
    received_.consume(head_bytes);
    while (!reader.complete()) {
      const http::BodyStep step = reader.read(received_.view());
      body += step.data;
      received_.consume(step.consumed);
      if (step.status == ParseStatus::kInvalid) refusal = problem(400, "Bad Request", step.fault);
      if (body.size() > limits_.max_body_bytes) {
        refusal =
            problem(413, "Content Too Large", "The admin port takes no request body of this size.");
      }
      if (refusal) co_return std::nullopt;
      if (reader.complete()) break;
      if (step.consumed == 0 && !co_await receive()) co_return std::nullopt;
    }
    co_return body;
  }

  // True: the connection may carry another request.
  net::Task<bool> serve_one() {
    Parsed parsed;
    while (true) {
      const ParseStatus status = parse(received_.view(), limits_, parsed);
      if (status == ParseStatus::kInvalid)
        co_return co_await answer(std::move(*parsed.refusal), true, false);
      if (status == ParseStatus::kComplete) break;
      if (!co_await receive()) co_return false;
    }
    // The head's views point into the buffer, which the body moves.
    const std::string method(parsed.head.method);
    const std::string query(query_of(parsed.target));
    const bool keep_alive = parsed.control.keep_alive && !drain_.requested();
    std::optional<Response> refusal;
    const auto body =
        co_await receive_body(parsed.control.framing, parsed.head.size_bytes, refusal);
    if (refusal) co_return co_await answer(std::move(*refusal), true, false);
    if (!body) co_return false;
    Response response =
        router_.handle({.method = method, .path = parsed.path, .query = query, .body = *body});
    co_return co_await answer(std::move(response), method != "HEAD", keep_alive);
  }

  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
  const Router& router_;
  const SessionLimits& limits_;
  net::Drain& drain_;
  net::Event wake_;
  net::Timer idle_;
  net::Drain::Watch watch_;
  ByteBuffer received_;
};

}  // namespace

net::Task<> serve_connection(net::Loop& loop, std::unique_ptr<net::Stream> stream,
                             const Router& router, const SessionLimits& limits, net::Drain& drain) {
  Connection connection(loop, std::move(stream), router, limits, drain);
  co_await connection.run();
}

}  // namespace partywall::admin
