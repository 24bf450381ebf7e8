#include "embedded/postgresql.h"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "base/private_file.h"
#include "embedded/run_command.h"
#include "fleet/process/free_port.h"

namespace partywall::embedded {
namespace {

constexpr const char* kSuperuser = "partywall";
constexpr Duration kInitPatience = minutes(2);

// PARTYWALL_PG_BIN, or Debian's place for PostgreSQL 15.
Result<std::string> find_programs() {
  const char* given = std::getenv("PARTYWALL_PG_BIN");
  const std::string folder = given ? given : "/usr/lib/postgresql/15/bin";
  for (const char* program : {"initdb", "postgres"}) {
    if (::access((folder + "/" + program).c_str(), X_OK) != 0) {
      return fail(ErrorKind::kNotFound,
                  "{}/{} is not there: install postgresql-15 (scripts/setup does), or set "
                  "PARTYWALL_PG_BIN to the folder of PostgreSQL's programs",
                  folder, program);
    }
  }
  return folder;
}

std::vector<std::string> make_environment() { return {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}; }

// initdb works in a folder of its own, which gets its name when all is done: what was interrupted
// is thrown away at the next start.
Result<> make_cluster(const EngineHost& host, const std::string& programs,
                      const std::string& folder, const Secret& password) {
  const std::string unfinished = folder + "/unfinished";
  const std::string password_file = folder + "/password";
  const std::string log = host.directory.file("fleet/initdb.log");
  std::error_code ignored;
  std::filesystem::remove_all(unfinished, ignored);
  std::filesystem::remove(log, ignored);
  if (auto written = write_private_file(password_file, password.reveal()); !written) return written;
  if (auto owned = host.user.own(password_file); !owned) return owned;
  const auto made = run_command(
      {.command = host.user.command({programs + "/initdb", "--pgdata=" + unfinished,
                                     "--username=" + std::string(kSuperuser),
                                     "--pwfile=" + password_file, "--auth=scram-sha-256",
                                     "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"}),
       .environment = make_environment(),
       .working_directory = "/",
       .output_file = log},
      kInitPatience);
  std::filesystem::remove(password_file, ignored);
  if (!made) return fail_with_context("PostgreSQL's initdb", made.error());
  std::error_code error;
  std::filesystem::rename(unfinished, folder + "/data", error);
  if (error)
    return fail(ErrorKind::kUnavailable, "cannot rename {}: {}", unfinished, error.message());
  return {};
}

fleet::InstanceSpec make_spec(const EngineHost& host, const std::string& programs,
                              const std::string& data, uint16_t port, uint32_t max_connections) {
  std::vector<std::string> words = {programs + "/postgres", "-D", data};
  const auto set = [&](std::string setting) {
    words.emplace_back("-c");
    words.push_back(std::move(setting));
  };
  set("listen_addresses=127.0.0.1");
  set("port={port}");
  set("unix_socket_directories=");  // paths below a data folder may be too long for a socket
  set(fmt::format("max_connections={}", max_connections));
  set("shared_buffers=64MB");
  set("password_encryption=scram-sha-256");
  set("logging_collector=off");  // standard error is a log file of the process provider
  set("log_line_prefix=%m [%p] %u@%d ");
  return {.version = "15",
          .command = host.user.command(std::move(words)),
          .environment = {{"LC_ALL", Secret("C.UTF-8")}},
          .working_directory = "/",
          .port = port,
          .stop_signal = "INT"};  // fast shutdown: does not wait for clients to go
}

}  // namespace

Result<PostgresqlServer> run_postgresql(const EngineHost& host, uint32_t max_connections) {
  const auto programs = find_programs();
  if (!programs) return std::unexpected(programs.error());
  const auto folder = host.directory.make_engine_folder("postgresql", host.user);
  if (!folder) return std::unexpected(folder.error());
  auto password = host.secrets.password("postgresql-superuser");
  if (!password) return std::unexpected(password.error());
  const std::string data = *folder + "/data";
  if (!std::filesystem::exists(data)) {
    if (auto made = make_cluster(host, *programs, *folder, *password); !made)
      return std::unexpected(made.error());
  }
  const fleet::GroupName group{std::string(kPostgresqlGroup)};
  const auto port = engine_port(host.provider, group);
  if (!port) return std::unexpected(port.error());
  PostgresqlServer server{
      .endpoint = {"127.0.0.1", *port}, .superuser = kSuperuser, .password = *std::move(password)};
  const auto answers = [&server] { return !fleet::is_free_loopback_port(server.endpoint.port); };
  const auto spec = make_spec(host, *programs, data, *port, max_connections);
  if (auto running = run_engine(host, group, spec, answers); !running)
    return std::unexpected(running.error());
  return server;
}

}  // namespace partywall::embedded
