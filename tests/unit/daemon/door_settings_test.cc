#include "daemon/door_settings.h"

#include <gtest/gtest.h>

namespace partywall::daemon {
namespace {

// The reference shows the platform file's defaults: they must be the doors' own.
TEST(DoorSettings, AFileThatSaysNothingLeavesTheCacheDoorAsItIs) {
  const cache::DoorSettings own;
  const cache::DoorSettings made = cache_door_settings({}, {});
  EXPECT_EQ(made.sessions.requests.max_request_bytes, own.sessions.requests.max_request_bytes);
  EXPECT_EQ(made.sessions.requests.max_argument_bytes, own.sessions.requests.max_argument_bytes);
  EXPECT_EQ(made.max_connections, own.max_connections);
  EXPECT_EQ(made.login_timeout, own.login_timeout);
  EXPECT_EQ(made.idle_timeout, own.idle_timeout);
  EXPECT_EQ(made.slow_reader_timeout, own.slow_reader_timeout);
  EXPECT_EQ(made.connect_timeout, own.connect_timeout);
}

TEST(DoorSettings, TheCacheDoorGetsWhatTheFileSays) {
  const store::CacheDoorOptions options{.max_connections = 1,
                                        .max_request_bytes = 2048,
                                        .login_timeout = seconds(3),
                                        .idle_timeout = seconds(4),
                                        .write_timeout = seconds(5),
                                        .connect_timeout = seconds(6)};
  const store::ListenSettings listen{.endpoint = {"127.0.0.1", 7},
                                     .tls = store::TlsFiles{"certificate", "key", "ca"}};
  const cache::DoorSettings made = cache_door_settings(listen, options);
  EXPECT_EQ(made.listen, listen.endpoint);
  ASSERT_TRUE(made.tls);
  EXPECT_EQ(made.tls->certificate_file, "certificate");
  EXPECT_EQ(made.tls->private_key_file, "key");
  EXPECT_EQ(made.tls->client_ca_file, "ca");
  EXPECT_EQ(made.sessions.requests.max_request_bytes, 2048u);
  EXPECT_LE(made.sessions.requests.max_argument_bytes, 2048u);
  EXPECT_EQ(made.max_connections, 1u);
  EXPECT_EQ(made.login_timeout, seconds(3));
  EXPECT_EQ(made.idle_timeout, seconds(4));
  EXPECT_EQ(made.slow_reader_timeout, seconds(5));
  EXPECT_EQ(made.connect_timeout, seconds(6));
}

}  // namespace
}  // namespace partywall::daemon
