#include "fleet/process/free_port.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"

namespace partywall::fleet {
namespace {

// Binds without listening. Returns the port, or 0 with errno set.
uint16_t try_bind(uint16_t port) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return 0;
  const int on = 1;
  // As servers do: connections of a predecessor that are still closing do not count.
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.number(), generic, length) != 0) return 0;
  if (::listen(socket.number(), 1) != 0) return 0;  // two may bind, but not listen
  if (::getsockname(socket.number(), generic, &length) != 0) return 0;
  return ntohs(address.sin_port);
}

}  // namespace

Result<uint16_t> find_free_loopback_port() {
  const uint16_t port = try_bind(0);
  if (port == 0)
    return fail(ErrorKind::kUnavailable, "no free port on 127.0.0.1: {}", std::strerror(errno));
  return port;
}

bool is_free_loopback_port(uint16_t port) { return port != 0 && try_bind(port) == port; }

}  // namespace partywall::fleet
