#include "embedded/shop_database.h"

#include <fstream>
#include <iterator>
#include <thread>

#include "embedded/platform_writer.h"
#include "engines/postgres.h"
#include "identity/scram.h"
#include "sql/schema/protect.h"

namespace partywall::embedded {
namespace {

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::kNotFound, "cannot read {}", path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

postgres::ConnectionSettings login(const Endpoint& endpoint, std::string_view database,
                                   std::string_view user, const Secret& password) {
  return {.endpoint = endpoint,
          .database = std::string(database),
          .user = std::string(user),
          .password = password,
          .tls = postgres::TlsMode::kDisable};  // 127.0.0.1, and SCRAM
}

// A server that was just started listens before it lets anybody in.
Result<postgres::Connection> open_patiently(const postgres::ConnectionSettings& settings) {
  constexpr Duration kPatience = minutes(1);
  constexpr Duration kPause = milliseconds(100);
  for (Duration waited{};; waited += kPause) {
    auto connection = postgres::Connection::open(settings);
    if (connection) return *std::move(connection);
    const bool may_come = connection.error().kind == ErrorKind::kUnavailable && waited < kPatience;
    if (!may_come) return std::unexpected(Error(connection.error()));
    std::this_thread::sleep_for(kPause);
  }
}

// As a verifier, so that the password appears in no log of the server.
Result<> make_role(postgres::Connection& server, const std::string& name, const Secret& password,
                   std::string_view rights, Random& random) {
  const auto verifier = make_scram_verifier(password.reveal(), random);
  if (!verifier) return std::unexpected(verifier.error());
  const auto found = server.execute("SELECT FROM pg_roles WHERE rolname = $1", {name});
  if (!found) return std::unexpected(Error(found.error()));
  const auto done = server.execute(fmt::format(
      "{} ROLE {} LOGIN {} PASSWORD {}", found->empty() ? "CREATE" : "ALTER",
      postgres::quote_identifier(name), rights, postgres::quote_literal(verifier->to_string())));
  if (!done) return std::unexpected(Error(done.error()));
  return {};
}

Result<> make_database(postgres::Connection& server, const SqlBackend& backend) {
  const auto found =
      server.execute("SELECT FROM pg_database WHERE datname = $1", {backend.database});
  if (!found) return std::unexpected(Error(found.error()));
  if (!found->empty()) return {};
  const auto made = server.execute(fmt::format("CREATE DATABASE {} OWNER {}",
                                               postgres::quote_identifier(backend.database),
                                               postgres::quote_identifier(backend.owner_role)));
  if (!made) return std::unexpected(Error(made.error()));
  return {};
}

Result<> make_tables(const SqlBackend& backend, const ShopFiles& files) {
  const auto schema = read_text(files.application + "/schema.sql");
  if (!schema) return std::unexpected(schema.error());
  auto owner = open_patiently(
      login(backend.endpoint, backend.database, backend.owner_role, backend.owner_password));
  if (!owner) return std::unexpected(owner.error());
  const auto made = owner->execute_script(*schema);
  if (!made) return fail_with_context("examples/shop/schema.sql", made.error());
  return {};
}

}  // namespace

Result<> prepare_shop_database(const PostgresqlServer& server, const SqlBackend& backend,
                               const ShopFiles& files, Random& random) {
  {
    auto connection =
        open_patiently(login(server.endpoint, "postgres", server.superuser, server.password));
    if (!connection) return fail_with_context("PostgreSQL", connection.error());
    if (auto made = make_role(*connection, backend.owner_role, backend.owner_password, "", random);
        !made)
      return fail_with_context("the tables' owner", made.error());
    if (auto made = make_role(*connection, backend.provisioner_role, backend.provisioner_password,
                              "CREATEROLE", random);
        !made)
      return fail_with_context("the provisioner", made.error());
    const auto granted = connection->execute("GRANT pg_signal_backend TO " +
                                             postgres::quote_identifier(backend.provisioner_role));
    if (!granted) return fail_with_context("the provisioner", granted.error());
    if (auto made = make_database(*connection, backend); !made)
      return fail_with_context("the database", made.error());
  }
  if (auto made = make_tables(backend, files); !made) return made;
  auto connection =
      open_patiently(login(server.endpoint, backend.database, server.superuser, server.password));
  if (!connection) return std::unexpected(connection.error());
  const auto plan = sql::protect_database(*connection, sql::protect_settings_of(backend));
  if (!plan) return fail_with_context("schema protect", plan.error());
  return {};
}

Result<> seed_shop(const Endpoint& sql_door, const std::vector<DemoTenant>& tenants,
                   const ShopFiles& files) {
  for (const DemoTenant& tenant : tenants) {
    const auto seed = read_text(fmt::format("{}/seed/{}.sql", files.application, tenant.slug));
    if (!seed) return std::unexpected(seed.error());
    auto connection = postgres::Connection::open(
        login(sql_door, kDatabaseName, tenant.slug, tenant.sql_password));
    if (!connection) return fail_with_context(tenant.slug + " at the sql door", connection.error());
    const auto seeded = connection->execute_script(*seed);
    if (!seeded) return fail_with_context(fmt::format("seed/{}.sql", tenant.slug), seeded.error());
  }
  return {};
}

}  // namespace partywall::embedded
