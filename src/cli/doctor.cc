#include "cli/doctor.h"

#include <cstdio>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/resource.h>

#include "cli/doctor_checks.h"
#include "cli/exit_code.h"
#include "engines/postgres.h"
#include "engines/redis.h"
#include "store/file_loader.h"
#include "store/platform_file.h"

namespace partywall::cli {
namespace {

Finding bad(std::string what, std::string advice) {
  return {.health = Health::kBad, .what = std::move(what), .advice = std::move(advice)};
}

std::optional<store::PlatformFile> load(const std::string& path, Findings& findings) {
  auto files = store::DiskFileLoader::beside(path);
  Diagnostics diagnostics;
  auto platform = store::load_platform_file(store::file_name_of(path), files, diagnostics);
  for (const Diagnostic& found : diagnostics.items()) {
    findings.push_back(
        {.health = found.severity == Severity::kError ? Health::kBad : Health::kWarning,
         .what = to_string(found, path)});
  }
  if (platform) {
    findings.push_back(
        {.what = fmt::format("{}: {} tenants in {} cells", path, platform->directory.tenants.size(),
                             platform->directory.cells.size())});
  }
  return platform;
}

// The owner may look; without one a slot role does, the last ones first: those are busy least.
postgres::PostgresResult<postgres::Connection> open_database(const SqlBackend& sql) {
  postgres::ConnectionSettings settings{.endpoint = sql.endpoint,
                                        .database = sql.database,
                                        .user = sql.owner_role,
                                        .password = sql.owner_password,
                                        .application_name = "partywall doctor"};
  if (!sql.owner_role.empty()) return postgres::Connection::open(settings);
  settings.password = sql.slots.password;
  constexpr uint32_t kMostAttempts = 5;
  auto opened = [&](uint32_t number) {
    settings.user = fmt::format("{}{:03}", sql.slots.prefix, number);
    return postgres::Connection::open(settings);
  };
  auto connection = opened(sql.slots.count);
  for (uint32_t i = 1; !connection && i < std::min(kMostAttempts, sql.slots.count); ++i)
    connection = opened(sql.slots.count - i);
  return connection;
}

std::vector<std::string> names(const postgres::Rows& rows) {
  std::vector<std::string> all;
  for (size_t row = 0; row < rows.size(); ++row) all.emplace_back(rows.text(row));
  return all;
}

postgres::PostgresResult<DatabaseFacts> look_at(postgres::Connection& connection,
                                                const SqlBackend& sql) {
  DatabaseFacts facts{.server_version = connection.server_version(),
                      .slot_roles_wanted = sql.slots.count};
  const WallTime before = SystemTime().wall();
  const auto now = connection.execute(
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, "
      "current_setting('max_connections')::int");
  if (!now) return std::unexpected(now.error());
  const WallTime after = SystemTime().wall();
  facts.clock_ahead = WallTime(milliseconds(now->number(0))) - (before + (after - before) / 2);
  facts.max_connections = static_cast<uint32_t>(now->number(0, 1));
  const std::string pattern = "^" + sql.slots.prefix + "[0-9]{3}$";
  const auto roles =
      connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ $1", {pattern});
  if (!roles) return std::unexpected(roles.error());
  facts.slot_roles = static_cast<uint32_t>(roles->size());
  const auto unsafe = connection.execute(
      "SELECT rolname FROM pg_roles WHERE rolname ~ $1 AND (rolsuper OR rolbypassrls) ORDER BY 1",
      {pattern});
  if (!unsafe) return std::unexpected(unsafe.error());
  facts.unsafe_roles = names(*unsafe);
  constexpr const char* kTables =
      " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND NOT "
      "a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'partywall')";
  const auto count = connection.execute(fmt::format("SELECT count(*){}", kTables));
  if (!count) return std::unexpected(count.error());
  facts.tables = static_cast<uint32_t>(count->number(0));
  const auto open = connection.execute(
      fmt::format("SELECT n.nspname || '.' || c.relname{} AND NOT (c.relrowsecurity AND "
                  "c.relforcerowsecurity) ORDER BY 1",
                  kTables));
  if (!open) return std::unexpected(open.error());
  facts.unprotected_tables = names(*open);
  return facts;
}

void check_database(const Cell& cell, Findings& findings) {
  if (cell.sql.endpoint.address.empty()) return;
  const std::string where =
      fmt::format("cell {}: PostgreSQL at {}", cell.name, cell.sql.endpoint.to_string());
  auto connection = open_database(cell.sql);
  if (!connection) return findings.push_back(bad(where, connection.error().message));
  const auto facts = look_at(*connection, cell.sql);
  if (!facts) return findings.push_back(bad(where, facts.error().message));
  std::ranges::move(judge_database(cell.name, *facts), std::back_inserter(findings));
}

void check_caches(const Cell& cell, Findings& findings) {
  for (const CacheInstance& instance : cell.cache.instances) {
    // Sentinels want other logins, and nodes of a cluster name addresses that only they know.
    if (instance.topology != CacheTopology::kSingle || cell.cache.tls) continue;
    const Endpoint& endpoint = instance.endpoints.front();
    const std::string where = fmt::format("cell {}: Redis at {}", cell.name, endpoint.to_string());
    const auto connection = redis::Connection::open(
        {.endpoint = endpoint, .user = cell.cache.door_user, .password = cell.cache.door_password});
    if (connection) {
      findings.push_back({.what = where});
    } else if (connection.error().kind == ErrorKind::kDenied) {
      findings.push_back(bad(where, "it refuses the door's user: run `partywall cache provision`"));
    } else {
      findings.push_back(bad(where, connection.error().message));
    }
  }
}

std::optional<Duration> time_left(const std::string& file) {
  struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  const std::unique_ptr<BIO, Free> bio(BIO_new_file(file.c_str(), "r"));
  if (!bio) return std::nullopt;
  const std::unique_ptr<X509, Free> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  int days = 0, rest = 0;
  if (!certificate ||
      ASN1_TIME_diff(&days, &rest, nullptr, X509_get0_notAfter(certificate.get())) != 1) {
    return std::nullopt;
  }
  return hours(24) * days + seconds(rest);
}

void check_node(const store::NodeSettings& node, Findings& findings) {
  const unsigned workers = std::max(1U, node.workers);
  const store::DoorListeners& listen = node.listen;
  uint64_t connections = 0;
  if (listen.http) connections += node.http.max_connections;
  if (listen.sql) connections += node.sql.max_connections;
  if (listen.cache) connections += node.cache.max_connections;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  findings.push_back(judge_open_files(files.rlim_max, 2 * connections * workers));
  for (const auto* listener : {&listen.http, &listen.sql, &listen.cache, &listen.admin}) {
    if (*listener && (*listener)->tls) {
      const std::string& file = (*listener)->tls->certificate;
      findings.push_back(judge_certificate(file, time_left(file)));
    }
  }
}

// Only where a control plane is known: one is no need.
void check_control_plane(const RemoteOptions& remote, Findings& findings) {
  auto client = ApiClient::open(remote.profile, "");
  if (!client) return;
  const auto answer = client->get("/v1/whoami");
  if (!answer) return findings.push_back(bad("control plane", answer.error().message));
  findings.push_back(
      {.what = fmt::format("control plane: you are {}, role {}", text_at(answer->body, "name"),
                           text_at(answer->body, "role"))});
}

}  // namespace

int doctor(const std::string& platform_file, const RemoteOptions& remote) {
  Findings findings;
  if (const auto platform = load(platform_file, findings)) {
    check_node(platform->node, findings);
    for (const Cell& cell : platform->directory.cells) {
      check_database(cell, findings);
      check_caches(cell, findings);
    }
  }
  check_control_plane(remote, findings);
  std::fputs(print_findings(findings).c_str(), stdout);
  return is_sick(findings) ? kExitFailure : kExitSuccess;
}

}  // namespace partywall::cli
