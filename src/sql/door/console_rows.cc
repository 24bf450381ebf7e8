#include "sql/door/console_rows.h"

#include <fmt/format.h>

#include "base/version.h"
#include "sql/console/console_command.h"
#include "sql/door/door_worker.h"

namespace partywall::sql {
namespace {

// Longer texts of statements are cut: the rest seldom tells more, and there may be thousands.
constexpr size_t kShownQueryBytes = 1'000;

template <class Number>
std::string number(Number value) {
  return std::to_string(value);
}

std::string seconds_text(Duration duration) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(duration).count());
}

std::string boolean(bool value) { return value ? "t" : "f"; }

std::optional<std::string> slug_of(const Directory& directory, const std::optional<TenantId>& id) {
  if (!id) return std::nullopt;
  const Tenant* tenant = directory.find_tenant(*id);
  return tenant ? tenant->slug : id->value().to_string();
}

std::optional<std::string> unless_empty(std::string text) {
  if (text.empty()) return std::nullopt;
  return text;
}

void add_clients(DoorWorker& worker, ConsoleRows& rows) {
  const MonotonicTime now = worker.loop().now();
  worker.clients_here().for_each([&](uint32_t id, const ConnectedClient& client) {
    const ClientInfo info = client.describe();
    std::optional<std::string> state_for;
    if (info.state_since) state_for = seconds_text(now - *info.state_since);
    std::optional<std::string> server_pid;
    if (info.server_pid) server_pid = number(*info.server_pid);
    rows.push_back({number(id), info.user, slug_of(*worker.directory(), info.tenant),
                    unless_empty(info.cell), std::string(info.state), state_for,
                    seconds_text(now - info.connected_at), boolean(info.is_pinned), server_pid,
                    info.peer.endpoint.to_string(), boolean(info.peer.encrypted),
                    unless_empty(info.application_name)});
  });
}

void add_servers(DoorWorker& worker, ConsoleRows& rows) {
  const MonotonicTime now = worker.loop().now();
  worker.for_each_pool([&](const std::string& cell, const CellPool& pool) {
    for (CellPool::ServerView& server : pool.servers()) {
      std::optional<std::string> state_for;
      if (server.slot.since) state_for = seconds_text(now - *server.slot.since);
      std::optional<std::string> pid;
      if (server.pid) pid = number(*server.pid);
      rows.push_back({cell, std::move(server.role), std::string(server.slot.state), state_for,
                      slug_of(*worker.directory(), server.tenant), pid,
                      pool.backend().endpoint.to_string(), number(worker.index())});
    }
  });
}

void add_pools(DoorWorker& worker, ConsoleRows& rows) {
  worker.for_each_pool([&](const std::string& cell, const CellPool& pool) {
    const CellPool::Gauges gauges = pool.gauges();
    const PoolCounters& counters = pool.counters();
    rows.push_back({cell, number(worker.index()), boolean(pool.is_paused()), number(gauges.slots),
                    number(gauges.open), number(gauges.idle), number(gauges.waiting),
                    number(counters.connects), number(counters.connect_failures),
                    number(counters.grants), number(counters.waits), number(counters.enters),
                    number(counters.resets), number(counters.reset_failures)});
  });
}

void add_prepared(DoorWorker& worker, ConsoleRows& rows) {
  worker.statements().for_each([&](const PreparedStatement& statement, long holders) {
    rows.push_back({number(worker.index()), number(statement.id), number(holders),
                    std::string(query_of(statement.definition).substr(0, kShownQueryBytes))});
  });
}

// What the clients of a tenant have at the moment.
struct TenantLoad {
  uint32_t clients = 0;
  uint32_t servers = 0;
  uint32_t waiting = 0;
};

net::Task<ConsoleRows> collect_tenants(DoorWorker& here) {
  std::unordered_map<TenantId, TenantLoad> loads;
  for (size_t index = 0; index < here.workers(); ++index) {
    co_await here.visit(index, [&loads](DoorWorker& worker) {
      worker.clients_here().for_each([&loads](uint32_t, const ConnectedClient& client) {
        const ClientInfo info = client.describe();
        if (!info.tenant) return;
        TenantLoad& load = loads[*info.tenant];
        ++load.clients;
        if (info.server_pid) ++load.servers;
        if (info.state == "waiting") ++load.waiting;
      });
    });
  }
  ConsoleRows rows;
  for (const Tenant& tenant : here.directory()->tenants()) {
    const TenantLoad& load = loads[tenant.id];
    const Duration time =
        here.time_of(tenant.number).owed(tenant.limits.max_cpu_time, here.loop().now());
    rows.push_back({tenant.slug, tenant.id.value().to_string(),
                    std::string(to_string(tenant.status)), tenant.tier, tenant.cell,
                    number(tenant.weight), number(load.clients), number(load.servers),
                    number(load.waiting), number(tenant.limits.max_db_connections),
                    seconds_text(time), number(tenant.limits.max_cpu_time / seconds(1))});
  }
  co_return rows;
}

ConsoleRows stats(const DoorWorker& here, const Directory& directory) {
  ConsoleRows rows;
  for (const Tenant& tenant : directory.tenants()) {
    const auto used = [&](SqlMeter meter) { return here.used(tenant.number, meter); };
    const auto time = [&](SqlMeter meter) {
      return seconds_text(Duration(static_cast<int64_t>(used(meter))));
    };
    rows.push_back({tenant.slug, number(used(SqlMeter::kStatements)),
                    number(used(SqlMeter::kTransactions)), number(used(SqlMeter::kErrors)),
                    number(used(SqlMeter::kTimeouts)), number(used(SqlMeter::kRefusals)),
                    number(used(SqlMeter::kOverBudget)), number(used(SqlMeter::kBudgetRefusals)),
                    time(SqlMeter::kBusyNanoseconds), time(SqlMeter::kWaitNanoseconds)});
  }
  return rows;
}

using AddRows = void (*)(DoorWorker&, ConsoleRows&);

net::Task<ConsoleRows> collect_from_all(DoorWorker& here, AddRows add) {
  ConsoleRows rows;
  for (size_t index = 0; index < here.workers(); ++index)
    co_await here.visit(index, [add, &rows](DoorWorker& worker) { add(worker, rows); });
  co_return rows;
}

}  // namespace

net::Task<ConsoleRows> collect_rows(DoorWorker& here, ConsoleView view) {
  switch (view) {
    case ConsoleView::kHelp:
      co_return console_help();
    case ConsoleView::kVersion:
      co_return ConsoleRows{{fmt::format("partywall {}", version())}};
    case ConsoleView::kTenants:
      co_return co_await collect_tenants(here);
    case ConsoleView::kPools:
      co_return co_await collect_from_all(here, add_pools);
    case ConsoleView::kClients:
      co_return co_await collect_from_all(here, add_clients);
    case ConsoleView::kServers:
      co_return co_await collect_from_all(here, add_servers);
    case ConsoleView::kStats:
      co_return stats(here, *here.directory());
    case ConsoleView::kPrepared:
      co_return co_await collect_from_all(here, add_prepared);
  }
  co_return ConsoleRows{};
}

}  // namespace partywall::sql
