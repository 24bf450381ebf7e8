#include "embedded/platform_writer.h"

#include <iterator>

#include "base/crypto.h"
#include "base/hex.h"
#include "identity/scram.h"

namespace partywall::embedded {
namespace {

class Writer {
 public:
  // One line, indented by two blanks a level.
  template <class... Arguments>
  void line(int level, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    out_.append(static_cast<size_t>(level) * 2, ' ');
    fmt::format_to(std::back_inserter(out_), text, std::forward<Arguments>(arguments)...);
    out_ += '\n';
  }
  void blank() { out_ += '\n'; }
  void comment(std::string_view text) { line(0, "# {}", text); }

  void listener(std::string_view door, const Endpoint& endpoint) {
    line(1, "{}: {{address: \"{}\", port: {}}}", door, endpoint.address, endpoint.port);
  }
  void secret_file(int level, std::string_view key, std::string_view name) {
    line(level, "{}: secrets/{}", key, name);
  }

  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  std::string out_;
};

void write_node(Writer& out, const EmbeddedPlatform& platform) {
  out.comment(
      "Written by `partywall up` at each start: change it and it is overwritten. Copy it as a "
      "start for");
  out.comment("a platform file of your own: `partywall check FILE`, `partywall serve -f FILE`.");
  out.line(0, "version: 1");
  out.line(0, "node:");
  out.line(1, "workers: {}", platform.workers);
  out.line(1, "access_log: {}", platform.access_log);
  out.line(1, "drain_timeout: 5s");
  out.blank();
  out.line(0, "listen:");
  out.listener("http", platform.http);
  out.listener("sql", platform.sql);
  out.listener("cache", platform.cache);
  out.listener("admin", platform.admin);
  out.blank();
  out.line(0, "identity:");
  out.line(1, "context_keys:");
  out.line(2, "- id: 1");
  out.secret_file(3, "file", secret_files::kContextKey);
  out.line(1, "issuers:");
  out.line(2, "- issuer: {}", platform.issuer);
  out.line(3, "audience: {}", platform.audience);
  out.secret_file(3, "key_set", secret_files::kIssuerKeySet);
}

void write_cell(Writer& out, const EmbeddedPlatform& platform) {
  out.line(0, "cells:");
  out.line(1, "{}:", kCellName);
  out.line(2, "kind: shared");
  out.line(2, "sql:");
  out.line(3, "address: {}", platform.postgresql.address);
  out.line(3, "port: {}", platform.postgresql.port);
  out.line(3, "database: {}", kDatabaseName);
  out.line(3, "slot_roles:");
  out.line(4, "count: {}", kSlotCount);
  out.secret_file(4, "password_file", secret_files::kSlotPassword);
  out.secret_file(3, "register_key_file", secret_files::kRegisterKey);
  out.line(3, "owner:");
  out.line(4, "role: {}", kOwnerRole);
  out.secret_file(4, "password_file", secret_files::kOwnerPassword);
  out.line(3, "provisioner:");
  out.line(4, "role: {}", kProvisionerRole);
  out.secret_file(4, "password_file", secret_files::kProvisionerPassword);
  out.line(2, "cache:");
  out.line(3, "address: {}", platform.redis.address);
  out.line(3, "port: {}", platform.redis.port);
  out.line(3, "door_user: {}", kDoorUser);
  out.secret_file(3, "door_password_file", secret_files::kDoorPassword);
  out.secret_file(3, "tenant_password_file", secret_files::kTenantPassword);
  out.line(2, "pools:");
  out.line(3, "{}:", kPoolName);
  // The process provider fills in the instances: an example of a pool that is not static.
  out.line(4, "health: {{path: /healthz, interval: 300ms, timeout: 2s, rise: 3, fall: 2}}");
  out.blank();
  out.line(0, "routes:");
  out.line(1, "- {{path: /, pool: {}}}", kPoolName);
  out.blank();
  out.comment("`partywall up` adds its pool itself; `partywall fleet status` shows it.");
  out.line(0, "fleet: {{directory: fleet}}");
}

Result<> write_tenant(Writer& out, const DemoTenant& tenant, Random& random) {
  const auto verifier = make_scram_verifier(tenant.sql_password.reveal(), random);
  if (!verifier) return std::unexpected(verifier.error());
  out.line(1, "- slug: {}", tenant.slug);
  out.line(2, "id: {}", tenant.id.value().to_string());
  out.line(2, "name: {}", tenant.name);
  out.line(2, "tier: {}", tenant.tier);
  out.line(2, "cell: {}", kCellName);
  out.line(2, "cache_database: {}", tenant.cache_database);
  out.line(2, "sql:");
  out.line(3, "verifier: {}", verifier->to_string());
  out.line(2, "cache:");
  out.line(3, "secret_sha256: {}", to_hex(as_bytes(sha256(tenant.cache_secret.reveal()))));
  return {};
}

Result<> write_sql_login(Writer& out, std::string_view user, std::string_view login_class,
                         const Secret& password, Random& random) {
  const auto verifier = make_scram_verifier(password.reveal(), random);
  if (!verifier) return std::unexpected(verifier.error());
  out.line(2, "- user: {}", user);
  out.line(3, "class: {}", login_class);
  out.line(3, "cell: {}", kCellName);
  out.line(3, "database: {}", kDatabaseName);
  out.line(3, "verifier: {}", verifier->to_string());
  return {};
}

}  // namespace

Result<std::string> write_platform(const EmbeddedPlatform& platform, Random& random) {
  Writer out;
  write_node(out, platform);
  out.blank();
  write_cell(out, platform);
  out.blank();
  out.comment("The tiers free, pro and enterprise are the shipped ones.");
  out.line(0, "tenants:");
  for (const DemoTenant& tenant : platform.tenants) {
    if (auto written = write_tenant(out, tenant, random); !written)
      return std::unexpected(written.error());
  }
  out.blank();
  out.line(0, "logins:");
  out.line(1, "sql:");
  const auto application =
      write_sql_login(out, kApplicationLogin, "application", platform.application_password, random);
  if (!application) return std::unexpected(application.error());
  const auto migration =
      write_sql_login(out, kMigrationLogin, "migration", platform.migration_password, random);
  if (!migration) return std::unexpected(migration.error());
  out.line(1, "cache:");
  out.line(2, "- user: {}", kApplicationLogin);
  return std::move(out).take();
}

}  // namespace partywall::embedded
