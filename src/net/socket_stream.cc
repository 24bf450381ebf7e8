#include "net/socket_stream.h"

#include <array>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "net/event.h"
#include "net/socket_address.h"
#include "net/timer.h"
#include "net/worker_impl.h"

namespace partywall::net {
namespace {

using boost::asio::posix::descriptor_base;

// Outlives the stream while a wait of Asio's is in flight. All on one thread, but Asio copies
// handlers only by moving, so the count is the only cost.
struct SocketState {
  SocketState(Worker& worker, int descriptor)
      : loop(worker.impl()), socket(loop.context.get_executor(), descriptor) {}

  struct Direction {
    EventLink link;
    bool waiting = false;
  };

  Worker::Impl& loop;
  Descriptor socket;
  Direction read;
  Direction write;
};

void wait_for(const std::shared_ptr<SocketState>& state, SocketState::Direction& direction,
              descriptor_base::wait_type what, Event& event) {
  direction.link.arm(event);
  if (direction.waiting) return;
  direction.waiting = true;
  state->socket.async_wait(what, [state, &direction](const boost::system::error_code&) {
    direction.waiting = false;
    // Whatever happened, the next read or write says it.
    state->loop.turn([&] { direction.link.fire(); });
  });
}

IoResult from_errno() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {IoStatus::kWouldBlock};
  return {IoStatus::kError};
}

class SocketStream final : public Stream {
 public:
  SocketStream(Worker& worker, int descriptor, Endpoint peer)
      : state_(std::make_shared<SocketState>(worker, descriptor)),
        peer_{.endpoint = std::move(peer)} {}

  ~SocketStream() override {
    disarm();
    close();
    if (descriptor_on_its_way_ >= 0) ::close(descriptor_on_its_way_);
  }

  IoResult read(std::span<char> into) override {
    if (!state_->socket.is_open()) return {IoStatus::kError};
    const ssize_t count =
        ::recv(state_->socket.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) return {IoStatus::kOk, static_cast<size_t>(count)};
    return count == 0 ? IoResult{IoStatus::kEnd} : from_errno();
  }

  IoResult write(std::string_view bytes) override {
    if (!state_->socket.is_open()) return {IoStatus::kError};
    const ssize_t count = ::send(state_->socket.native_handle(), bytes.data(), bytes.size(),
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    return count >= 0 ? IoResult{IoStatus::kOk, static_cast<size_t>(count)} : from_errno();
  }

  void arm_read(Event& event) override { arm(state_->read, descriptor_base::wait_read, event); }
  void arm_write(Event& event) override { arm(state_->write, descriptor_base::wait_write, event); }

  [[nodiscard]] bool awaits_input() const override { return state_->read.link.armed(); }

  void disarm() override {
    state_->read.link.disarm();
    state_->write.link.disarm();
  }

  void leave() override {
    disarm();
    descriptor_on_its_way_ = state_->socket.release();
  }

  void join(Loop& loop) override {
    const int descriptor = std::exchange(descriptor_on_its_way_, -1);
    state_ = std::make_shared<SocketState>(static_cast<Worker&>(loop), descriptor);
  }

  void shutdown_write() override {
    if (state_->socket.is_open()) ::shutdown(state_->socket.native_handle(), SHUT_WR);
  }

  void close() override {
    boost::system::error_code ignored;  // the descriptor is gone either way
    state_->socket.close(ignored);
    state_->read.link.fire();
    state_->write.link.fire();
  }

  [[nodiscard]] const Peer& peer() const override { return peer_; }

  [[nodiscard]] int descriptor() const { return state_->socket.native_handle(); }

 private:
  void arm(SocketState::Direction& direction, descriptor_base::wait_type what, Event& event) {
    if (state_->socket.is_open()) {
      wait_for(state_, direction, what, event);
    } else {
      event.set();
    }
  }

  std::shared_ptr<SocketState> state_;
  Peer peer_;
  int descriptor_on_its_way_ = -1;  // between leave() and join()
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
  return std::make_unique<SocketStream>(worker, descriptor, std::move(peer));
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
    co_return std::make_unique<SocketStream>(worker, socket.take(), to);
  }
  // A full backlog of a unix socket says EAGAIN and can only be tried again by the caller.
  if (errno != EINPROGRESS) co_return cannot_connect(to, system_error_text(errno));

  Event ready(worker);
  Timer deadline(worker.timers(), ready);
  auto stream = std::make_unique<SocketStream>(worker, socket.take(), to);
  deadline.arm(worker.now() + timeout);
  stream->arm_write(ready);
  co_await ready.wait();
  if (deadline.fired()) co_return cannot_connect(to, "no answer in time");
  if (const int error = pending_error(stream->descriptor()))
    co_return cannot_connect(to, system_error_text(error));
  co_return stream;
}

}  // namespace partywall::net
