#include "embedded/run_record.h"

#include <iterator>

#include <unistd.h>

#include "base/json_writer.h"

namespace partywall::embedded {
namespace {

void write_place(JsonWriter& json, std::string_view name, const Endpoint& endpoint) {
  json.key(name).begin_object();
  json.key("address").value(endpoint.address);
  json.key("port").value(static_cast<unsigned>(endpoint.port));
  json.end_object();
}

void write_server(JsonWriter& json, std::string_view name, const Endpoint& endpoint,
                  const std::string& user, const Secret& password) {
  json.key(name).begin_object();
  json.key("address").value(endpoint.address);
  json.key("port").value(static_cast<unsigned>(endpoint.port));
  json.key("user").value(user);
  json.key("password").value(password.reveal());
  json.end_object();
}

void write_login(JsonWriter& json, std::string_view name, std::string_view user,
                 const Secret& password) {
  json.key(name).begin_object();
  json.key("user").value(user);
  json.key("password").value(password.reveal());
  json.end_object();
}

void write_tenant(JsonWriter& json, const TourTenant& entry) {
  const DemoTenant& tenant = entry.tenant;
  json.key(tenant.slug).begin_object();
  json.key("id").value(tenant.id.value().to_string());
  json.key("tier").value(tenant.tier);
  json.key("token").value(entry.token);
  json.key("sql_password").value(tenant.sql_password.reveal());
  json.key("cache_secret").value(tenant.cache_secret.reveal());
  json.key("cache_database").value(tenant.cache_database);
  json.end_object();
}

void write_instance(JsonWriter& json, const fleet::ObservedInstance& instance) {
  json.begin_object();
  json.key("id").value(instance.id.value());
  json.key("address").value(instance.endpoint.address);
  json.key("port").value(static_cast<unsigned>(instance.endpoint.port));
  json.key("pid").value(instance.process_id);
  json.end_object();
}

}  // namespace

std::string write_run_record(const RunRecord& record) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("pid").value(static_cast<int>(::getpid()));
  json.key("data_directory").value(record.data_directory);
  json.key("platform_file").value(record.data_directory + "/platform.yaml");
  json.key("database").value(kDatabaseName);
  write_place(json, "http", record.http);
  write_place(json, "sql", record.sql);
  write_place(json, "cache", record.cache);
  write_place(json, "admin", record.admin);
  write_server(json, "postgresql", record.postgresql.endpoint, record.postgresql.superuser,
               record.postgresql.password);
  write_server(json, "redis", record.redis.endpoint, record.redis.administrator,
               record.redis.password);
  write_login(json, "application", kApplicationLogin, record.application_password);
  write_login(json, "migration", kMigrationLogin, record.migration_password);
  json.key("tenants").begin_object();
  for (const TourTenant& tenant : record.tenants) write_tenant(json, tenant);
  json.end_object();
  json.key("instances").begin_array();
  for (const fleet::ObservedInstance& instance : record.instances) write_instance(json, instance);
  json.end_array();
  json.end_object();
  return out + "\n";
}

std::string describe_run(const RunRecord& record) {
  std::string out;
  const auto add = [&out]<class... Arguments>(fmt::format_string<Arguments...> text,
                                              Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out), text, std::forward<Arguments>(arguments)...);
  };
  add("\n  http door   http://{}\n", record.http.to_string());
  add("  sql door    {}, database {}\n", record.sql.to_string(), kDatabaseName);
  add("  cache door  {}\n", record.cache.to_string());
  add("  admin       http://{}/metrics, /healthz, /readyz\n", record.admin.to_string());
  add("  data        {} (platform.yaml, logs in fleet/)\n", record.data_directory);
  for (const TourTenant& entry : record.tenants) {
    const DemoTenant& tenant = entry.tenant;
    add("\n  {} ({}):\n", tenant.slug, tenant.tier);
    add("    curl -H 'Authorization: Bearer {}' http://{}/api/products\n", entry.token,
        record.http.to_string());
    add("    PGPASSWORD={} psql -h {} -p {} -U {} {}\n", tenant.sql_password.reveal(),
        record.sql.address, record.sql.port, tenant.slug, kDatabaseName);
    add("    REDISCLI_AUTH={} redis-cli -h {} -p {} --user {}\n", tenant.cache_secret.reveal(),
        record.cache.address, record.cache.port, tenant.slug);
  }
  return out;
}

}  // namespace partywall::embedded
