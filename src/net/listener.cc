#include "net/listener.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"
#include "net/worker_impl.h"

namespace partywall::net {
namespace {

constexpr int kBacklog = 4096;       // the kernel lowers it to net.core.somaxconn
constexpr int kAcceptsPerWake = 32;  // then other sessions get their turn
constexpr Duration kPauseWithoutDescriptors = milliseconds(100);

bool is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

// Shared with the handlers that Asio still holds after close().
struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  Impl(Worker& owner, int descriptor, Endpoint at)
      : worker(owner),
        socket(owner.impl().context.get_executor(), descriptor),
        pause(owner.impl().context.get_executor()),
        endpoint(std::move(at)) {}

  void wait_for_connections() {
    socket.async_wait(Descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error) self->worker.impl().turn([&] { self->accept_waiting(); });
                      });
  }

  void accept_waiting() {
    for (int accepted = 0; accepted < kAcceptsPerWake && socket.is_open(); ++accepted) {
      SocketAddress peer;
      const int descriptor =
          ::accept4(socket.native_handle(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) {
        if (is_out_of_descriptors(errno)) return wait_for_descriptors(errno);
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
        continue;  // that client has gone already; the next one may be there
      }
      on_accept(make_socket_stream(worker, descriptor,
                                   endpoint.is_unix() ? endpoint : peer.to_endpoint()));
    }
    if (socket.is_open()) wait_for_connections();
  }

  void wait_for_descriptors(int error) {
    log_warning("no connection can be accepted now; raise the limit of open files (nofile)",
                {{"listener", endpoint.to_string()}, {"error", system_error_text(error)}});
    pause.expires_after(kPauseWithoutDescriptors);
    pause.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (!cancelled && self->socket.is_open())
        self->worker.impl().turn([&] { self->accept_waiting(); });
    });
  }

  void close() {
    boost::system::error_code ignored;  // the descriptor is gone either way
    socket.close(ignored);
    pause.cancel();
  }

  Worker& worker;
  Descriptor socket;
  AsioTimer pause;
  Endpoint endpoint;
  OnAccept on_accept;
};

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() { close(); }

void Listener::start(OnAccept on_accept) {
  impl_->on_accept = std::move(on_accept);
  impl_->wait_for_connections();
}

void Listener::close() { impl_->close(); }

namespace {

std::unexpected<Error> cannot_listen(const Endpoint& endpoint, std::string_view why) {
  return fail(ErrorKind::kUnavailable, "{}: cannot listen: {}", endpoint.to_string(), why);
}

// Returns a listening descriptor.
Result<int> open_listening_socket(const SocketAddress& address, const Endpoint& endpoint) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return cannot_listen(endpoint, system_error_text(errno));
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (!endpoint.is_unix()) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (::bind(descriptor, address.get(), address.length) != 0 ||
      ::listen(descriptor, kBacklog) != 0) {
    const int error = errno;
    ::close(descriptor);
    return cannot_listen(endpoint, system_error_text(error));
  }
  return descriptor;
}

// SO_REUSEPORT would let a second process of the same user share the port and get half of the
// connections, unseen. A first socket without it finds that out.
Result<> check_nobody_listens(const SocketAddress& address, const Endpoint& endpoint) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return cannot_listen(endpoint, system_error_text(errno));
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int bound = ::bind(descriptor, address.get(), address.length);
  const int error = errno;
  ::close(descriptor);
  if (bound != 0) return cannot_listen(endpoint, system_error_text(error));
  return {};
}

// The path of a socket whose process has died stays behind; nobody answers on it.
void remove_stale_socket(const SocketAddress& address, const Endpoint& endpoint) {
  struct stat info{};
  if (::lstat(endpoint.address.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  const bool refused =
      ::connect(probe, address.get(), address.length) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  if (refused) ::unlink(endpoint.address.c_str());
}

Endpoint bound_endpoint(int descriptor, const Endpoint& asked) {
  if (asked.is_unix()) return asked;
  SocketAddress address;
  ::getsockname(descriptor, address.get(), &address.length);
  return address.to_endpoint();
}

}  // namespace

Result<BoundListeners> bind_listeners(WorkerGroup& workers, const Endpoint& endpoint) {
  auto address = SocketAddress::from(endpoint);
  if (!address) return std::unexpected(address.error());
  if (endpoint.is_unix()) {
    remove_stale_socket(*address, endpoint);
  } else if (endpoint.port != 0) {
    if (auto free = check_nobody_listens(*address, endpoint); !free)
      return std::unexpected(free.error());
  }

  BoundListeners bound{.endpoint = endpoint, .listeners = {}};
  int shared = -1;  // of a unix socket
  for (size_t i = 0; i < workers.size(); ++i) {
    int descriptor = shared < 0 ? -1 : ::fcntl(shared, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
      auto opened = open_listening_socket(*address, endpoint);
      if (!opened) return std::unexpected(opened.error());
      descriptor = *opened;
    }
    if (i == 0) {
      bound.endpoint = bound_endpoint(descriptor, endpoint);
      if (endpoint.is_unix()) {
        shared = descriptor;
      } else {
        address =
            SocketAddress::from(bound.endpoint);  // the others share the port that the kernel chose
      }
    }
    bound.listeners.push_back(std::make_unique<Listener>(
        std::make_shared<Listener::Impl>(workers[i], descriptor, bound.endpoint)));
  }
  return bound;
}

}  // namespace partywall::net
