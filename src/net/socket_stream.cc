#include "net/socket_stream.h"

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "net/event.h"
#include "net/socket_address.h"
#include "net/timer.h"
#include "net/worker_impl.h"

namespace partywall::net {
namespace {

constexpr uint32_t kEndEvents = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr uint32_t kReadEvents = EPOLLIN | kEndEvents;
constexpr uint32_t kWriteEvents = EPOLLOUT | EPOLLHUP | EPOLLERR;

bool has_exhausted(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// Epoll reports edges: what it said holds until a read or write finds that it no longer does, and
// until then no system call is made that is known to be in vain.
class SocketStream final : public Stream, private DescriptorWatch {
 public:
  enum class State : uint8_t { kConnected, kConnecting };

  SocketStream(Worker& worker, int descriptor, Endpoint peer, State state)
      : loop_(&worker.impl()), peer_{.endpoint = std::move(peer)} {
    watch(descriptor, state == State::kConnected);
  }

  ~SocketStream() override {
    disarm();
    close();
    if (descriptor_on_its_way_ >= 0) ::close(descriptor_on_its_way_);
  }

  IoResult read(std::span<char> into) override {
    if (!is_open()) return {IoStatus::kError};
    if (!may_read_) return {IoStatus::kWouldBlock};
    const ssize_t count = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) {
      // What comes later is an edge of its own. So is the end of the stream, unless it was already
      // reported together with these bytes.
      if (static_cast<size_t>(count) < into.size() && !has_ended_) may_read_ = false;
      return {IoStatus::kOk, static_cast<size_t>(count)};
    }
    if (count == 0) return {IoStatus::kEnd};
    if (has_exhausted(errno)) may_read_ = false;
    return from_errno();
  }

  IoResult write(std::string_view bytes) override {
    if (!is_open()) return {IoStatus::kError};
    if (!may_write_) return {IoStatus::kWouldBlock};
    const ssize_t count =
        ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) return {IoStatus::kOk, static_cast<size_t>(count)};
    if (has_exhausted(errno)) may_write_ = false;
    return from_errno();
  }

  void arm_read(Event& event) override { arm(read_, may_read_, EPOLLIN, event); }
  void arm_write(Event& event) override { arm(write_, may_write_, EPOLLOUT, event); }

  [[nodiscard]] bool awaits_input() const override { return read_.armed(); }

  void disarm() override {
    read_.disarm();
    write_.disarm();
  }

  void leave() override {
    disarm();
    descriptor_on_its_way_ = unwatch();
  }

  void join(Loop& loop) override {
    loop_ = &static_cast<Worker&>(loop).impl();
    watch(std::exchange(descriptor_on_its_way_, -1), /*may_be_ready=*/true);
  }

  void shutdown_write() override {
    if (is_open()) ::shutdown(descriptor_, SHUT_WR);
  }

  void close() override {
    if (is_open()) ::close(unwatch());
    read_.fire();
    write_.fire();
  }

  [[nodiscard]] const Peer& peer() const override { return peer_; }

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  static IoResult from_errno() {
    if (has_exhausted(errno) || errno == EINTR) return {IoStatus::kWouldBlock};
    return {IoStatus::kError};
  }

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

  // Where the kernel has no room for another watch the stream is closed from the start.
  void watch(int descriptor, bool may_be_ready) {
    may_read_ = may_write_ = may_be_ready;
    has_ended_ = false;
    soon_ = 0;
    if (loop_->reactor.add(descriptor, *this, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) {
      descriptor_ = descriptor;
    } else {
      ::close(descriptor);
    }
  }

  int unwatch() {
    if (is_open()) loop_->reactor.remove(descriptor_, *this);
    return std::exchange(descriptor_, -1);
  }

  void arm(EventLink& link, bool may_be_ready, uint32_t what, Event& event) {
    if (!is_open()) return event.set();
    link.arm(event);
    // There may be more, and no new edge will say so.
    if (!may_be_ready || (soon_ & what) != 0) return;
    soon_ |= what;
    loop_->reactor.call_soon(*this, what);
  }

  // Whatever happened, the next read or write says it.
  void on_ready(uint32_t events) override {
    if ((events & kReadEvents) != 0) {
      may_read_ = true;
      read_.fire();
    }
    if ((events & kWriteEvents) != 0) {
      may_write_ = true;
      write_.fire();
    }
    if ((events & kEndEvents) != 0) has_ended_ = true;
    soon_ &= ~events;
  }

  Worker::Impl* loop_;
  int descriptor_ = -1;
  int descriptor_on_its_way_ = -1;  // between leave() and join()
  bool may_read_ = false;           // not known to be exhausted
  bool may_write_ = false;
  bool has_ended_ = false;  // no more edges may come: only a read tells
  uint32_t soon_ = 0;       // what on_ready() will be called with although nothing has happened
  EventLink read_;
  EventLink write_;
  Peer peer_;
};

void send_small_packets_at_once(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof(on));  // fails on unix sockets only
}

int pending_error(int descriptor) {
  int error = 0;
  socklen_t length = sizeof(error);
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

std::unexpected<Error> cannot_connect(const Endpoint& to, std::string_view why) {
  return fail(ErrorKind::kUnavailable, "{}: cannot connect: {}", to.to_string(), why);
}

// A descriptor that is closed unless it is taken.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
  ~OwnedDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  int take() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

}  // namespace

std::unique_ptr<Stream> make_socket_stream(Worker& worker, int descriptor, Endpoint peer) {
  send_small_packets_at_once(descriptor);
  return std::make_unique<SocketStream>(worker, descriptor, std::move(peer),
                                        SocketStream::State::kConnected);
}

Task<Result<std::unique_ptr<Stream>>> connect_socket(Worker& worker, Endpoint to,
                                                     Duration timeout) {
  auto address = SocketAddress::from(to);
  if (!address) co_return std::unexpected(address.error());
  OwnedDescriptor socket(
      ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) co_return cannot_connect(to, system_error_text(errno));
  send_small_packets_at_once(socket.get());

  if (::connect(socket.get(), address->get(), address->length) == 0) {
    co_return std::make_unique<SocketStream>(worker, socket.take(), to,
                                             SocketStream::State::kConnected);
  }
  // A full backlog of a unix socket says EAGAIN and can only be tried again by the caller.
  if (errno != EINPROGRESS) co_return cannot_connect(to, system_error_text(errno));

  Event ready(worker);
  Timer deadline(worker.timers(), ready);
  auto stream =
      std::make_unique<SocketStream>(worker, socket.take(), to, SocketStream::State::kConnecting);
  deadline.arm(worker.now() + timeout);
  stream->arm_write(ready);
  co_await ready.wait();
  if (deadline.fired()) co_return cannot_connect(to, "no answer in time");
  if (const int error = pending_error(stream->descriptor()))
    co_return cannot_connect(to, system_error_text(error));
  co_return stream;
}

}  // namespace partywall::net
