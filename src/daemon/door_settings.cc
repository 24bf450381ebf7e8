#include "daemon/door_settings.h"

#include <algorithm>

namespace partywall::daemon {
namespace {

std::optional<net::TlsServerSettings> tls_settings(const std::optional<store::TlsFiles>& files) {
  if (!files) return std::nullopt;
  return net::TlsServerSettings{.certificate_file = files->certificate,
                                .private_key_file = files->private_key,
                                .client_ca_file = files->client_ca};
}

std::vector<sql::ConsoleLogin> console_logins(const store::SqlDoorOptions& options) {
  std::vector<sql::ConsoleLogin> logins;
  for (const store::ConsoleLoginOptions& login : options.console) {
    const bool may_operate = login.rights == store::ConsoleLoginOptions::Rights::kOperate;
    logins.push_back(
        {.user = login.user,
         .rights = may_operate ? sql::ConsoleRights::kOperate : sql::ConsoleRights::kLook,
         .verifier = login.verifier,
         .addresses = login.addresses});
  }
  return logins;
}

}  // namespace

http::DoorSettings http_door_settings(const store::ListenSettings& listen,
                                      const store::HttpDoorOptions& options,
                                      const std::string& access_log) {
  http::DoorSettings settings;
  settings.listen = listen.endpoint;
  settings.tls = tls_settings(listen.tls);
  settings.access_log = access_log;
  settings.trusted_proxies = options.trusted_proxies;
  settings.authorization = options.forward_authorization ? http::AuthorizationPolicy::kForward
                                                         : http::AuthorizationPolicy::kStrip;
  settings.limits.head.max_bytes = options.max_head_bytes;
  settings.limits.head.max_target_bytes =
      std::min<size_t>(settings.limits.head.max_target_bytes, options.max_head_bytes);
  settings.limits.exchange.max_request_body_bytes = options.max_body_bytes;
  settings.limits.max_connections = options.max_connections;
  settings.limits.max_attempts = options.max_attempts;
  settings.queue.timeout = options.queue_timeout;
  settings.queue.limits.max_waiting = options.max_queued;
  settings.queue.limits.max_waiting_per_tenant = options.max_queued_per_tenant;
  settings.queue.max_requests_per_instance = options.max_requests_per_instance;
  settings.balance.slow_start = options.slow_start;
  settings.balance.outliers.failures = options.outlier_failures;
  settings.balance.outliers.out_for = options.outlier_time;
  settings.balance.max_out_percent = options.outlier_max_percent;
  settings.balance.panic_percent = options.panic_percent;
  settings.timeouts.head = options.head_timeout;
  settings.timeouts.idle = options.idle_timeout;
  settings.timeouts.body = options.body_timeout;
  settings.timeouts.body_bytes_per_second = options.min_body_rate;
  settings.timeouts.client_write = options.write_timeout;
  settings.timeouts.connect = options.connect_timeout;
  settings.timeouts.response = options.response_timeout;
  settings.timeouts.response_body = options.response_body_timeout;
  settings.timeouts.tunnel = options.tunnel_timeout;
  return settings;
}

cache::DoorSettings cache_door_settings(const store::ListenSettings& listen,
                                        const store::CacheDoorOptions& options) {
  cache::DoorSettings settings;
  settings.listen = listen.endpoint;
  settings.tls = tls_settings(listen.tls);
  auto& requests = settings.sessions.requests;
  requests.max_request_bytes = options.max_request_bytes;
  requests.max_argument_bytes = requests.max_request_bytes;
  settings.max_connections = options.max_connections;
  settings.max_tenant_connections = options.max_tenant_connections;
  settings.login_timeout = options.login_timeout;
  settings.idle_timeout = options.idle_timeout;
  settings.slow_reader_timeout = options.write_timeout;
  settings.connect_timeout = options.connect_timeout;
  return settings;
}

sql::DoorSettings sql_door_settings(const store::ListenSettings& listen,
                                    const store::SqlDoorOptions& options) {
  sql::DoorSettings settings;
  settings.listen = listen.endpoint;
  settings.tls = tls_settings(listen.tls);
  settings.max_clients = options.max_connections;
  settings.max_tenant_clients = options.max_tenant_connections;
  settings.require_tls = options.require_tls;
  settings.without_tenant = options.without_tenant == store::WithoutTenant::kRefuse
                                ? sql::WithoutTenant::kRefuse
                                : sql::WithoutTenant::kEmptyRegister;
  settings.clients.max_message_bytes = options.max_message_bytes;
  settings.clients.max_prepared_statements = options.max_prepared_statements;
  settings.clients.max_prepared_bytes = options.max_prepared_bytes;
  settings.clients.max_copy_row_bytes = options.max_copy_row_bytes;
  settings.slow.of_most = options.slow_statements.threshold;
  settings.slow.by_tier.insert(options.slow_statements.tiers.begin(),
                               options.slow_statements.tiers.end());
  settings.max_migration_sessions = options.max_migration_sessions;
  settings.console = console_logins(options);
  settings.max_console_sessions = options.max_console_sessions;
  settings.login_timeout = options.login_timeout;
  settings.queue_timeout = options.queue_timeout;
  settings.idle_in_transaction_timeout = options.idle_in_transaction_timeout;
  settings.transaction_timeout = options.transaction_timeout;
  settings.pool.connect_timeout = options.connect_timeout;
  settings.pool.idle_lifetime = options.server_idle_timeout;
  return settings;
}

admin::ServerSettings admin_server_settings(const store::ListenSettings& listen) {
  return {.listen = listen.endpoint, .tls = tls_settings(listen.tls)};
}

LimitStoreSettings limit_store_settings(const store::ClusterOptions& options,
                                        const std::string& host) {
  const store::LimitStoreOptions& store = *options.limits;
  LimitStoreSettings settings;
  settings.endpoint = store.endpoint;
  settings.tls = store.tls;
  settings.login = {
      .user = store.user, .password = store.password, .answer_timeout = store.answer_timeout};
  settings.node = options.node.empty() ? host : options.node;
  settings.expected_nodes = options.expected_nodes;
  settings.connect_timeout = store.connect_timeout;
  return settings;
}

}  // namespace partywall::daemon
