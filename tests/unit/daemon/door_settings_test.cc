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
  EXPECT_EQ(made.max_tenant_connections, own.max_tenant_connections);
  EXPECT_EQ(made.login_timeout, own.login_timeout);
  EXPECT_EQ(made.idle_timeout, own.idle_timeout);
  EXPECT_EQ(made.slow_reader_timeout, own.slow_reader_timeout);
  EXPECT_EQ(made.connect_timeout, own.connect_timeout);
}

TEST(DoorSettings, TheCacheDoorGetsWhatTheFileSays) {
  const store::CacheDoorOptions options{.max_connections = 1,
                                        .max_tenant_connections = 7,
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
  EXPECT_EQ(made.max_tenant_connections, 7u);
  EXPECT_EQ(made.login_timeout, seconds(3));
  EXPECT_EQ(made.idle_timeout, seconds(4));
  EXPECT_EQ(made.slow_reader_timeout, seconds(5));
  EXPECT_EQ(made.connect_timeout, seconds(6));
}

TEST(DoorSettings, AFileThatSaysNothingLeavesTheHttpDoorAsItIs) {
  const http::DoorSettings own;
  const http::DoorSettings made = http_door_settings({}, {}, "");
  EXPECT_EQ(made.authorization, own.authorization);
  EXPECT_EQ(made.limits.head.max_bytes, own.limits.head.max_bytes);
  EXPECT_EQ(made.limits.head.max_target_bytes, own.limits.head.max_target_bytes);
  EXPECT_EQ(made.limits.exchange.max_request_body_bytes,
            own.limits.exchange.max_request_body_bytes);
  EXPECT_EQ(made.limits.max_connections, own.limits.max_connections);
  EXPECT_EQ(made.limits.max_attempts, own.limits.max_attempts);
  EXPECT_EQ(made.balance.slow_start, own.balance.slow_start);
  EXPECT_EQ(made.balance.outliers.failures, own.balance.outliers.failures);
  EXPECT_EQ(made.balance.outliers.out_for, own.balance.outliers.out_for);
  EXPECT_EQ(made.balance.max_out_percent, own.balance.max_out_percent);
  EXPECT_EQ(made.balance.panic_percent, own.balance.panic_percent);
  EXPECT_EQ(made.queue.timeout, own.queue.timeout);
  EXPECT_EQ(made.queue.limits.max_waiting, own.queue.limits.max_waiting);
  EXPECT_EQ(made.queue.limits.max_waiting_per_tenant, own.queue.limits.max_waiting_per_tenant);
  EXPECT_EQ(made.queue.max_requests_per_instance, own.queue.max_requests_per_instance);
  EXPECT_EQ(made.timeouts.head, own.timeouts.head);
  EXPECT_EQ(made.timeouts.idle, own.timeouts.idle);
  EXPECT_EQ(made.timeouts.body, own.timeouts.body);
  EXPECT_EQ(made.timeouts.client_write, own.timeouts.client_write);
  EXPECT_EQ(made.timeouts.connect, own.timeouts.connect);
  EXPECT_EQ(made.timeouts.response, own.timeouts.response);
  EXPECT_EQ(made.timeouts.response_body, own.timeouts.response_body);
  EXPECT_EQ(made.timeouts.tunnel, own.timeouts.tunnel);
}

TEST(DoorSettings, TheHttpDoorGetsWhatTheFileSays) {
  const store::HttpDoorOptions options{.max_connections = 1,
                                       .max_head_bytes = 4096,
                                       .max_body_bytes = 2,
                                       .max_attempts = 3,
                                       .forward_authorization = false,
                                       .queue_timeout = seconds(12),
                                       .max_queued = 13,
                                       .max_queued_per_tenant = 14,
                                       .max_requests_per_instance = 15,
                                       .slow_start = seconds(16),
                                       .outlier_failures = 17,
                                       .outlier_time = seconds(18),
                                       .outlier_max_percent = 19,
                                       .panic_percent = 20,
                                       .trusted_proxies = {*AddressBlock::parse("10.0.0.0/8")},
                                       .head_timeout = seconds(4),
                                       .idle_timeout = seconds(5),
                                       .body_timeout = seconds(6),
                                       .write_timeout = seconds(7),
                                       .connect_timeout = seconds(8),
                                       .response_timeout = seconds(9),
                                       .response_body_timeout = seconds(10),
                                       .tunnel_timeout = seconds(11)};
  const store::ListenSettings listen{.endpoint = {"127.0.0.1", 7},
                                     .tls = store::TlsFiles{"certificate", "key", "ca"}};
  const http::DoorSettings made = http_door_settings(listen, options, "log");
  EXPECT_EQ(made.listen, listen.endpoint);
  ASSERT_TRUE(made.tls);
  EXPECT_EQ(made.access_log, "log");
  EXPECT_EQ(made.limits.max_connections, 1u);
  EXPECT_EQ(made.limits.head.max_bytes, 4096u);
  EXPECT_LE(made.limits.head.max_target_bytes, 4096u);
  EXPECT_EQ(made.limits.exchange.max_request_body_bytes, 2u);
  EXPECT_EQ(made.limits.max_attempts, 3u);
  EXPECT_EQ(made.authorization, http::AuthorizationPolicy::kStrip);
  EXPECT_EQ(made.trusted_proxies, options.trusted_proxies);
  EXPECT_EQ(made.balance.slow_start, seconds(16));
  EXPECT_EQ(made.balance.outliers.failures, 17u);
  EXPECT_EQ(made.balance.outliers.out_for, seconds(18));
  EXPECT_EQ(made.balance.max_out_percent, 19u);
  EXPECT_EQ(made.balance.panic_percent, 20u);
  EXPECT_EQ(made.queue.timeout, seconds(12));
  EXPECT_EQ(made.queue.limits.max_waiting, 13u);
  EXPECT_EQ(made.queue.limits.max_waiting_per_tenant, 14u);
  EXPECT_EQ(made.queue.max_requests_per_instance, 15u);
  EXPECT_EQ(made.timeouts.head, seconds(4));
  EXPECT_EQ(made.timeouts.idle, seconds(5));
  EXPECT_EQ(made.timeouts.body, seconds(6));
  EXPECT_EQ(made.timeouts.client_write, seconds(7));
  EXPECT_EQ(made.timeouts.connect, seconds(8));
  EXPECT_EQ(made.timeouts.response, seconds(9));
  EXPECT_EQ(made.timeouts.response_body, seconds(10));
  EXPECT_EQ(made.timeouts.tunnel, seconds(11));
}

TEST(DoorSettings, AFileThatSaysNothingLeavesTheSqlDoorAsItIs) {
  const sql::DoorSettings own;
  const sql::DoorSettings made = sql_door_settings({}, {});
  EXPECT_EQ(made.max_clients, own.max_clients);
  EXPECT_EQ(made.max_tenant_clients, own.max_tenant_clients);
  EXPECT_EQ(made.require_tls, own.require_tls);
  EXPECT_EQ(made.without_tenant, own.without_tenant);
  EXPECT_EQ(made.clients.max_message_bytes, own.clients.max_message_bytes);
  EXPECT_EQ(made.clients.max_prepared_statements, own.clients.max_prepared_statements);
  EXPECT_EQ(made.clients.max_prepared_bytes, own.clients.max_prepared_bytes);
  EXPECT_EQ(made.max_migration_sessions, own.max_migration_sessions);
  EXPECT_EQ(made.login_timeout, own.login_timeout);
  EXPECT_EQ(made.queue_timeout, own.queue_timeout);
  EXPECT_EQ(made.idle_in_transaction_timeout, own.idle_in_transaction_timeout);
  EXPECT_EQ(made.transaction_timeout, own.transaction_timeout);
  EXPECT_EQ(made.pool.connect_timeout, own.pool.connect_timeout);
  EXPECT_EQ(made.pool.idle_lifetime, own.pool.idle_lifetime);
}

TEST(DoorSettings, TheSqlDoorGetsWhatTheFileSays) {
  const store::SqlDoorOptions options{.max_connections = 1,
                                      .max_tenant_connections = 9,
                                      .require_tls = true,
                                      .without_tenant = store::WithoutTenant::kGlobalTables,
                                      .max_message_bytes = 2048,
                                      .max_prepared_statements = 2,
                                      .max_prepared_bytes = 4096,
                                      .max_migration_sessions = 3,
                                      .login_timeout = seconds(4),
                                      .queue_timeout = seconds(5),
                                      .idle_in_transaction_timeout = seconds(6),
                                      .transaction_timeout = seconds(66),
                                      .connect_timeout = seconds(7),
                                      .server_idle_timeout = seconds(8)};
  const sql::DoorSettings made = sql_door_settings({.endpoint = {"127.0.0.1", 7}}, options);
  EXPECT_EQ(made.listen, (Endpoint{"127.0.0.1", 7}));
  EXPECT_FALSE(made.tls);
  EXPECT_EQ(made.max_clients, 1u);
  EXPECT_EQ(made.max_tenant_clients, 9u);
  EXPECT_TRUE(made.require_tls);
  EXPECT_EQ(made.without_tenant, sql::WithoutTenant::kEmptyRegister);
  EXPECT_EQ(made.clients.max_message_bytes, 2048u);
  EXPECT_EQ(made.clients.max_prepared_statements, 2u);
  EXPECT_EQ(made.clients.max_prepared_bytes, 4096u);
  EXPECT_EQ(made.max_migration_sessions, 3u);
  EXPECT_EQ(made.login_timeout, seconds(4));
  EXPECT_EQ(made.queue_timeout, seconds(5));
  EXPECT_EQ(made.idle_in_transaction_timeout, seconds(6));
  EXPECT_EQ(made.transaction_timeout, seconds(66));
  EXPECT_EQ(made.pool.connect_timeout, seconds(7));
  EXPECT_EQ(made.pool.idle_lifetime, seconds(8));
}

TEST(AdminServerSettings, TheAdminPortSpeaksTlsWhereTheFileSaysSo) {
  const auto plain = admin_server_settings({.endpoint = {"127.0.0.1", 7}});
  EXPECT_EQ(plain.listen, (Endpoint{"127.0.0.1", 7}));
  EXPECT_FALSE(plain.tls);
  const auto encrypted = admin_server_settings(
      {.endpoint = {"127.0.0.1", 7},
       .tls = store::TlsFiles{.certificate = "c", .private_key = "k", .client_ca = "a"}});
  ASSERT_TRUE(encrypted.tls);
  EXPECT_EQ(encrypted.tls->client_ca_file, "a");
}

}  // namespace
}  // namespace partywall::daemon
