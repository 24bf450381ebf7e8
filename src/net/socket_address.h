#pragma once

#include <sys/socket.h>

#include "base/endpoint.h"
#include "base/result.h"

namespace partywall::net {

// An Endpoint as the kernel wants it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  static Result<SocketAddress> from(const Endpoint& endpoint);
  [[nodiscard]] Endpoint to_endpoint() const;
  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// The text of an errno value.
std::string system_error_text(int error);

}  // namespace partywall::net
