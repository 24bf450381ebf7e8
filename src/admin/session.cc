#include "admin/session.h"

#include <optional>

#include "admin/response_writer.h"
#include "base/address_block.h"
#include "base/ascii.h"
#include "base/byte_buffer.h"
#include "http/message/body_reader.h"
#include "http/message/chunked.h"
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
  return problem(fault.status, "Bad Request", fault.reason, "bad-request");
}

// "127.0.0.1:9180", "[::1]", "localhost"; nothing at all comes from HTTP/1.0 clients only.
bool is_address(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end != std::string_view::npos && is_numeric_address(host.substr(1, end - 1));
  }
  const std::string_view name = host.substr(0, host.rfind(':'));
  return host.empty() || equal_ignoring_case(name, "localhost") || is_numeric_address(name);
}

// kNeedMore: the head is not whole yet.
ParseStatus parse(std::string_view bytes, const SessionShared& shared, Parsed& parsed) {
  const auto head =
      http::parse_request_head(bytes, {.max_bytes = shared.limits.max_head_bytes}, parsed.head);
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
  if (shared.refuses_names && !is_address(parsed.control.host)) {
    parsed.refusal =
        problem(421, "Misdirected Request",
                "This port listens to this machine only, and is called by an address or localhost.",
                "misdirected");
    return ParseStatus::kInvalid;
  }
  std::string storage;
  const auto path = http::routing_path(parsed.target.path, storage);
  if (!path) {
    parsed.refusal = problem(400, "Bad Request", path.error().message, "bad-request");
    return ParseStatus::kInvalid;
  }
  parsed.path = *path;
  return ParseStatus::kComplete;
}

// The head's views point into the buffer, which the body moves: this has copies.
Request to_request(const Parsed& parsed, const net::Peer& peer) {
  const std::string_view target = parsed.target.path_and_query;
  const size_t mark = target.find('?');
  Request request{
      .method = std::string(parsed.head.method),
      .path = parsed.path,
      .raw_path = std::string(parsed.target.path),
      .query = std::string(mark == std::string_view::npos ? "" : target.substr(mark + 1)),
      .peer = peer};
  for (const http::Field& field : parsed.head.fields) {
    request.headers.emplace_back(field.name, field.value);
  }
  return request;
}

// One of a bounded number of something, given back at its end.
class Unit {
 public:
  Unit() = default;
  explicit Unit(uint32_t& count) : count_(&count) { ++count; }
  Unit(Unit&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Unit& operator=(Unit&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~Unit() {
    if (count_) --*count_;
  }

 private:
  uint32_t* count_ = nullptr;
};

Response busy(std::string_view what) {
  Response response = problem(503, "Service Unavailable", what, "busy");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

class Connection {
 public:
  Connection(net::Loop& loop, std::unique_ptr<net::Stream> stream, SessionShared& shared,
             net::Drain& drain)
      : loop_(loop),
        stream_(std::move(stream)),
        shared_(shared),
        limits_(shared.limits),
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
  net::Task<bool> receive(MonotonicTime deadline) {
    idle_.arm(std::min(loop_.now() + limits_.read_timeout, deadline));
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

  net::Task<bool> send(std::string wire) {
    const auto written = co_await net::write_all(loop_, *stream_, wire, limits_.write_timeout);
    co_return written.has_value();
  }

  net::Task<bool> answer(Response response, Framing framing) {
    const bool sent = co_await send(to_wire(response, framing));
    co_return sent&& framing.keep_alive;
  }

  // The body after a head of `head_bytes`, which both stay in the buffer. nullopt: it does not
  // come, or is refused in `refusal`.
  net::Task<std::optional<std::string>> receive_body(const http::Framing& framing,
                                                     size_t head_bytes, size_t max_bytes,
                                                     std::optional<Response>& refusal) {
    http::BodyReader reader(framing);
    std::string body;
    received_.consume(head_bytes);
    const MonotonicTime deadline = loop_.now() + limits_.body_timeout;
    while (!reader.complete()) {
      const http::BodyStep step = reader.read(received_.view());
      body += step.data;
      received_.consume(step.consumed);
      if (step.status == ParseStatus::kInvalid)
        refusal = problem(400, "Bad Request", step.fault, "bad-request");
      if (body.size() > max_bytes) {
        refusal = problem(413, "Content Too Large",
                          fmt::format("A request body may have {} bytes here.", max_bytes),
                          "body-too-large");
      }
      if (refusal) co_return std::nullopt;
      if (reader.complete()) break;
      if (step.consumed == 0 && !co_await receive(deadline)) co_return std::nullopt;
    }
    co_return body;
  }

  // Runs `work` where the route's handlers run and returns when it is done; false: it is not run.
  net::Task<bool> run_where(RunOn where, std::function<void()> work) {
    if (where == RunOn::kAdminThread) {
      work();
      co_return true;
    }
    bool done = false;
    // This frame is there until `done`, whatever else happens to the connection.
    if (!shared_.executor.submit([this, work, &done] {
          work();
          loop_.post([this, &done] {
            done = true;
            wake_.set();
          });
        })) {
      co_return false;
    }
    while (!done) co_await wake_.wait();
    co_return true;
  }

  net::Task<Response> run_handler(const Router::Route& route, const Request& request) {
    std::optional<Response> response;
    const bool ran = co_await run_where(route.run_on, [&] { response = route.handler(request); });
    if (!ran) co_return busy("Too many requests wait for the control store.");
    co_return *std::move(response);
  }

  net::Task<std::optional<Response>> ask_for_admission(const Router::Route& route,
                                                       const Request& request) {
    std::optional<Response> refusal;
    const bool ran = co_await run_where(route.run_on, [&] { refusal = route.admit(request); });
    if (!ran) co_return busy("Too many requests wait for the control store.");
    co_return refusal;
  }

  // Until the stream or the connection ends, or the node stops.
  net::Task<> send_stream(RunOn where, BodyStream& body) {
    while (!drain_.requested()) {
      std::optional<std::string> part;
      if (!co_await run_where(where, [&] { part = body.next(); })) part.emplace();
      if (!part) break;
      std::string chunk;
      http::append_chunk(chunk, *part);
      if (!chunk.empty() && !co_await send(std::move(chunk))) co_return;
      if (part->empty() && !co_await wait_or_notice_the_end(body.pause())) co_return;
    }
    std::string last;
    http::append_last_chunk(last);
    co_await send(std::move(last));
  }

  // False: the client has gone. What it sends meanwhile is of no interest.
  net::Task<bool> wait_or_notice_the_end(Duration time) {
    idle_.arm(loop_.now() + time);
    while (!idle_.fired() && !drain_.requested()) {
      std::array<char, 256> ignored;
      const net::IoResult result = stream_->read(ignored);
      if (result.closed()) co_return false;
      if (!result.ok()) {
        stream_->arm_read(wake_);
        co_await wake_.wait();
      }
    }
    co_return true;
  }

  net::Task<bool> respond(const Router::Route& route, const Request& request, bool keep_alive) {
    const bool with_body = request.method != "HEAD";
    Response response = co_await run_handler(route, request);
    if (!response.stream) {
      co_return co_await answer(std::move(response),
                                {.with_body = with_body, .keep_alive = keep_alive});
    }
    if (shared_.streams >= limits_.max_streams)
      co_return co_await answer(busy("Too many watch already."), {});
    const Unit stream(shared_.streams);
    if (!co_await send(to_wire(response, {.with_body = false, .keep_alive = false})))
      co_return false;
    if (with_body) co_await send_stream(route.run_on, *response.stream);
    co_return false;
  }

  // True: the connection may carry another request.
  net::Task<bool> serve_one() {
    Parsed parsed;
    while (true) {
      const ParseStatus status = parse(received_.view(), shared_, parsed);
      if (status == ParseStatus::kInvalid)
        co_return co_await answer(*std::move(parsed.refusal), {});
      if (status == ParseStatus::kComplete) break;
      // A head that trickles in has the time of one silence, as a whole.
      if (!co_await receive(head_deadline())) co_return false;
    }
    head_began_.reset();
    Request request = to_request(parsed, stream_->peer());
    const bool keep_alive = parsed.control.keep_alive && !drain_.requested();
    Router::Match matched = shared_.router.match(request);
    if (matched.route && matched.route->admit) {
      auto not_admitted = co_await ask_for_admission(*matched.route, request);
      if (not_admitted) co_return co_await answer(*std::move(not_admitted), {});
    }
    const size_t max_body = matched.route ? matched.route->max_body_bytes : kUsualBodyBytes;
    Unit large_body;
    if (max_body > kUsualBodyBytes) {
      if (shared_.large_bodies >= limits_.max_large_bodies)
        co_return co_await answer(busy("Others are sending large documents."), {});
      large_body = Unit(shared_.large_bodies);
    }
    std::optional<Response> refusal;
    auto body =
        co_await receive_body(parsed.control.framing, parsed.head.size_bytes, max_body, refusal);
    if (refusal) co_return co_await answer(*std::move(refusal), {});
    if (!body) co_return false;
    if (!matched.route) {
      co_return co_await answer(*std::move(matched.refusal),
                                {.with_body = request.method != "HEAD", .keep_alive = keep_alive});
    }
    request.body = *std::move(body);
    co_return co_await respond(*matched.route, request, keep_alive);
  }

  // Bytes of the next request may be in the buffer already; its time begins now in any case.
  MonotonicTime head_deadline() {
    if (received_.empty()) return MonotonicTime::max();
    if (!head_began_) head_began_ = loop_.now();
    return *head_began_ + limits_.read_timeout;
  }

  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
  SessionShared& shared_;
  const SessionLimits& limits_;
  net::Drain& drain_;
  net::Event wake_;
  net::Timer idle_;
  net::Drain::Watch watch_;
  ByteBuffer received_;
  std::optional<MonotonicTime> head_began_;
};

}  // namespace

net::Task<> serve_connection(net::Loop& loop, std::unique_ptr<net::Stream> stream,
                             SessionShared& shared, net::Drain& drain) {
  Connection connection(loop, std::move(stream), shared, drain);
  co_await connection.run();
}

}  // namespace partywall::admin
