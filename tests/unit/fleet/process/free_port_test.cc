#include "fleet/process/free_port.h"

#include <fstream>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/file_descriptor.h"

namespace partywall::fleet {
namespace {

TEST(FreePort, IsOneThatNoOutgoingConnectionGets) {
  uint32_t first_ephemeral = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_ephemeral;
  for (int i = 0; i < 50; ++i) {
    const auto port = find_free_loopback_port();
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_GE(*port, 1024);
    EXPECT_LT(*port, first_ephemeral);
    EXPECT_TRUE(is_free_loopback_port(*port));
  }
}

TEST(FreePort, OneThatSomebodyListensAtIsNotFree) {
  const uint16_t port = *find_free_loopback_port();
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener.number(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener.number(), 1), 0);
  EXPECT_FALSE(is_free_loopback_port(port));
  EXPECT_FALSE(is_free_loopback_port(0));
}

}  // namespace
}  // namespace partywall::fleet
