#include "sql/door/door_metrics.h"

#include <array>
#include <map>
#include <ranges>

namespace partywall::sql {
namespace {

struct TenantFamily {
  SqlMeter meter;
  MetricFamily family;
  double scale = 1;  // from what is counted to what is written
};

constexpr std::array kTenantFamilies = {
    TenantFamily{SqlMeter::kStatements,
                 {"partywall_sql_statements", MetricType::kCounter,
                  "Statements that PostgreSQL completed."}},
    TenantFamily{SqlMeter::kTransactions,
                 {"partywall_sql_transactions", MetricType::kCounter,
                  "Transactions that ended on a server connection."}},
    TenantFamily{SqlMeter::kErrors,
                 {"partywall_sql_errors", MetricType::kCounter,
                  "Errors sent to clients, of PostgreSQL and of the door."}},
    TenantFamily{SqlMeter::kTimeouts,
                 {"partywall_sql_statement_timeouts", MetricType::kCounter,
                  "Statements cancelled because they ran longer than the tier allows, and "
                  "transactions ended "
                  "because they were open for longer than transaction_timeout."}},
    TenantFamily{SqlMeter::kRefusals,
                 {"partywall_sql_refusals", MetricType::kCounter,
                  "Statements that got no server connection."}},
    TenantFamily{SqlMeter::kSlow,
                 {"partywall_sql_slow_statements", MetricType::kCounter,
                  "Queries, and messages up to a Sync, that took longer than slow_statements "
                  "allows."}},
    TenantFamily{SqlMeter::kOverBudget,
                 {"partywall_sql_over_budget", MetricType::kCounter,
                  "Transactions begun with the lowest weight, because the tenant had used up its "
                  "max_cpu_seconds."}},
    TenantFamily{SqlMeter::kBudgetRefusals,
                 {"partywall_sql_budget_refusals", MetricType::kCounter,
                  "Transactions refused because the tenant had used twice its max_cpu_seconds."}},
    TenantFamily{SqlMeter::kBusyNanoseconds,
                 {"partywall_sql_busy_seconds", MetricType::kCounter,
                  "Time that server connections worked for the tenant."},
                 1e-9},
    TenantFamily{SqlMeter::kWaitNanoseconds,
                 {"partywall_sql_wait_seconds", MetricType::kCounter,
                  "Time that statements waited for a server connection."},
                 1e-9},
};
static_assert(kTenantFamilies.size() == std::to_underlying(SqlMeter::kCount));

void write_tenants(MetricWriter& writer, const DoorShared& door, const Directory& directory) {
  for (const TenantFamily& entry : kTenantFamilies) {
    writer.family(entry.family);
    for (const Tenant& tenant : directory.tenants()) {
      const uint64_t sum = door.workers.front()->used(tenant.number, entry.meter);
      if (sum == 0) continue;
      if (entry.scale == 1) {
        writer.sample(sum, {{"tenant", tenant.slug}});
      } else {
        writer.sample(static_cast<double>(sum) * entry.scale, {{"tenant", tenant.slug}});
      }
    }
  }
}

using PoolSums = std::map<std::string, DoorWorker::PoolSample>;

PoolSums sum_pools(const DoorShared& door) {
  PoolSums sums;
  for (const auto& worker : door.workers) {
    for (const DoorWorker::PoolSample& sample : worker->pool_samples()) {
      DoorWorker::PoolSample& sum = sums[sample.cell];
      sum.gauges.open += sample.gauges.open;
      sum.gauges.idle += sample.gauges.idle;
      sum.gauges.waiting += sample.gauges.waiting;
      sum.gauges.slots += sample.gauges.slots;
      sum.counters.connects += sample.counters.connects;
      sum.counters.connect_failures += sample.counters.connect_failures;
      sum.counters.resets += sample.counters.resets;
      sum.counters.reset_failures += sample.counters.reset_failures;
      sum.counters.enters += sample.counters.enters;
      sum.counters.grants += sample.counters.grants;
      sum.counters.waits += sample.counters.waits;
      sum.counters.changed_slots += sample.counters.changed_slots;
      sum.counters.repaired_slots += sample.counters.repaired_slots;
      sum.counters.left_over_sessions += sample.counters.left_over_sessions;
    }
  }
  return sums;
}

void write_pools(MetricWriter& writer, const DoorShared& door) {
  const PoolSums sums = sum_pools(door);
  const auto write = [&](const MetricFamily& family, auto value_of) {
    writer.family(family);
    for (const auto& [cell, sample] : sums)
      writer.sample(uint64_t{value_of(sample)}, {{"cell", cell}});
  };
  using Sample = DoorWorker::PoolSample;
  write({"partywall_sql_server_connections", MetricType::kGauge, "Connections to PostgreSQL."},
        [](const Sample& s) { return s.gauges.open; });
  write({"partywall_sql_server_connections_idle", MetricType::kGauge, "Those that nobody has now."},
        [](const Sample& s) { return s.gauges.idle; });
  write({"partywall_sql_server_slots", MetricType::kGauge,
         "Slot roles: the most connections there can be."},
        [](const Sample& s) { return s.gauges.slots; });
  write({"partywall_sql_waiting", MetricType::kGauge,
         "Statements that wait for a server connection."},
        [](const Sample& s) { return s.gauges.waiting; });
  write({"partywall_sql_server_connects", MetricType::kCounter, "Logins to PostgreSQL."},
        [](const Sample& s) { return s.counters.connects; });
  write({"partywall_sql_server_connect_failures", MetricType::kCounter,
         "Failed logins to PostgreSQL."},
        [](const Sample& s) { return s.counters.connect_failures; });
  write({"partywall_sql_resets", MetricType::kCounter, "Server connections proved clean."},
        [](const Sample& s) { return s.counters.resets; });
  write({"partywall_sql_reset_failures", MetricType::kCounter,
         "Server connections closed because they could not be."},
        [](const Sample& s) { return s.counters.reset_failures; });
  write({"partywall_sql_enters", MetricType::kCounter,
         "Tenants entered into the register of a connection."},
        [](const Sample& s) { return s.counters.enters; });
  write({"partywall_sql_grants", MetricType::kCounter, "Server connections given to clients."},
        [](const Sample& s) { return s.counters.grants; });
  write({"partywall_sql_waits", MetricType::kCounter, "Clients that had to wait for one."},
        [](const Sample& s) { return s.counters.waits; });
  write({"partywall_sql_slot_roles_changed", MetricType::kCounter,
         "Slot roles that the door could not log in with, because a tenant had changed them."},
        [](const Sample& s) { return s.counters.changed_slots; });
  write({"partywall_sql_slot_roles_repaired", MetricType::kCounter,
         "Those that the provisioner put right."},
        [](const Sample& s) { return s.counters.repaired_slots; });
  write({"partywall_sql_left_over_sessions", MetricType::kCounter,
         "Server processes ended by force, because a statement ran on without its client."},
        [](const Sample& s) { return s.counters.left_over_sessions; });
}

void write_clients(MetricWriter& writer, const DoorShared& door) {
  const auto sum = [&door](auto value_of) {
    uint64_t all = 0;
    for (const auto& worker : door.workers) all += value_of(std::as_const(*worker));
    return all;
  };
  const auto write = [&](const MetricFamily& family, auto value_of) {
    writer.family(family);
    writer.sample(sum(value_of));
  };
  write({"partywall_sql_clients", MetricType::kGauge, "Connected clients."},
        [](const DoorWorker& w) { return uint64_t{w.clients()}; });
  write({"partywall_sql_clients_pinned", MetricType::kGauge,
         "Clients that keep a server connection because of session state."},
        [](const DoorWorker& w) { return uint64_t{w.pinned()}; });
  write({"partywall_sql_logins", MetricType::kCounter, "Clients that logged in."},
        [](const DoorWorker& w) { return w.counters().logins.value(); });
  write({"partywall_sql_failed_logins", MetricType::kCounter, "Clients that did not get in."},
        [](const DoorWorker& w) { return w.counters().failed_logins.value(); });
  write({"partywall_sql_refused_clients", MetricType::kCounter,
         "Clients turned away because there were too many."},
        [](const DoorWorker& w) { return w.counters().refused_clients.value(); });
  write({"partywall_sql_cancel_requests", MetricType::kCounter,
         "Requests of clients to cancel a statement."},
        [](const DoorWorker& w) { return w.counters().cancels.value(); });
  write({"partywall_sql_slow_statements_dropped", MetricType::kCounter,
         "Slow statements that were not logged, because there were too many."},
        [](const DoorWorker& w) { return w.counters().slow_dropped.value(); });
}

}  // namespace

void write_door_metrics(MetricWriter& writer, const DoorShared& door, const Directory& directory) {
  write_tenants(writer, door, directory);
  write_pools(writer, door);
  write_clients(writer, door);
}

}  // namespace partywall::sql
