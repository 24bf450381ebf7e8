#include "fleet/process/free_port.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"
#include "base/random.h"

namespace partywall::fleet {
namespace {

constexpr uint32_t kLowest = 10'240;  // well above what services are registered for

// The kernel gives outgoing connections ports from here on.
uint32_t first_ephemeral_port() {
  constexpr uint32_t kUsual = 32'768;
  uint32_t first = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first;
  return first > kLowest + 1000 && first <= 65'535 ? first : kUsual;
}

// Listens for a moment. On failure errno says why.
bool can_listen(uint16_t port) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return false;
  const int on = 1;
  // As servers do: connections of a predecessor that are still closing do not count.
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Two may bind, but not listen.
  return ::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
         ::listen(socket.number(), 1) == 0;
}

}  // namespace

Result<uint16_t> find_free_loopback_port() {
  constexpr int kAttempts = 200;
  SystemRandom random;
  const uint32_t end = first_ephemeral_port();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto port = static_cast<uint16_t>(kLowest + random.below(end - kLowest));
    if (can_listen(port)) return port;
  }
  return fail(ErrorKind::kUnavailable, "no free port on 127.0.0.1: {}", std::strerror(errno));
}

bool is_free_loopback_port(uint16_t port) { return port != 0 && can_listen(port); }

}  // namespace partywall::fleet
