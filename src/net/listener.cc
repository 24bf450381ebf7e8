#include "net/listener.h"

#include <cerrno>
#include <utility>

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

struct Listener::Impl final : private DescriptorWatch {
  Impl(Worker& owner, int listening, Endpoint at)
      : worker(owner), descriptor(listening), endpoint(std::move(at)) {}
  ~Impl() { close(); }

  void start(OnAccept handler) {
    on_accept = std::move(handler);
    watch();
  }

  // Not edge-triggered: what is left after kAcceptsPerWake is reported again.
  void watch() {
    is_watched = worker.impl().reactor.add(descriptor, *this, EPOLLIN);
    if (!is_watched) pause_accepting(errno);
  }

  void unwatch() {
    if (std::exchange(is_watched, false)) worker.impl().reactor.remove(descriptor, *this);
  }

  void on_ready(uint32_t /*events*/) override {
    if (std::exchange(is_paused, false)) return watch();
    for (int accepted = 0; accepted < kAcceptsPerWake && descriptor >= 0; ++accepted) {
      SocketAddress peer;
      const int client =
          ::accept4(descriptor, peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) {
        if (is_out_of_descriptors(errno)) return pause_accepting(errno);
        if (errno == EAGAIN || errno == EWOULDBLOCK) return;
        continue;  // that client has gone already; the next one may be there
      }
      on_accept(
          make_socket_stream(worker, client, endpoint.is_unix() ? endpoint : peer.to_endpoint()));
    }
  }

  void pause_accepting(int error) {
    log_warning("no connection can be accepted now; raise the limit of open files (nofile)",
                {{"listener", endpoint.to_string()}, {"error", system_error_text(error)}});
    unwatch();
    is_paused = true;
    worker.impl().call_later(*this, worker.now() + kPauseWithoutDescriptors);
  }

  void close() {
    // Closed on its worker's thread it may be destroyed on any. While it pauses, the reactor may be
    // about to call it.
    if (std::exchange(is_paused, false)) {
      worker.impl().forget_later(*this);
      worker.impl().reactor.remove(descriptor, *this);
    }
    unwatch();
    if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
  }

  Worker& worker;
  int descriptor;
  bool is_watched = false;
  bool is_paused = false;
  Endpoint endpoint;
  OnAccept on_accept;
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() = default;

void Listener::start(OnAccept on_accept) { impl_->start(std::move(on_accept)); }

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
        std::make_unique<Listener::Impl>(workers[i], descriptor, bound.endpoint)));
  }
  return bound;
}

}  // namespace partywall::net
