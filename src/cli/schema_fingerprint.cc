#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "cli/cell_database.h"
#include "cli/exit_code.h"
#include "cli/schema_convert.h"
#include "engines/postgres.h"
#include "migrate/schema/fingerprint.h"
#include "migrate/schema/read_catalog.h"

namespace partywall::cli {
namespace {

using migrate::SchemaGroup;

Result<migrate::Catalog> read(const std::string& database) {
  auto connection = postgres::Connection::open(connection_string(database, {}));
  if (!connection) return std::unexpected(connection.error());
  auto transaction =
      postgres::Transaction::begin(*connection, "ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  if (!transaction) return std::unexpected(transaction.error());
  return migrate::read_catalog(*connection);
}

std::string to_text(const std::vector<SchemaGroup>& groups) {
  std::string text;
  for (const SchemaGroup& group : groups) {
    text += fmt::format("{} {} ({})\n", group.fingerprint, to_string(group.drift),
                        group.databases.size());
    for (const std::string& database : group.databases) text += fmt::format("  {}\n", database);
    for (const std::string& statement : group.statements) text += fmt::format("{};\n", statement);
    for (std::string reason : group.reasons) {
      std::ranges::replace(reason, '\n', ' ');  // a name in a comment must not end it
      text += fmt::format("-- {}\n", reason);
    }
  }
  return text;
}

void write(JsonWriter& json, std::string_view name, const std::vector<std::string>& values) {
  json.key(name).begin_array();
  for (const std::string& value : values) json.value(value);
  json.end_array();
}

std::string to_json(const std::vector<SchemaGroup>& groups) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("groups").begin_array();
  for (const SchemaGroup& group : groups) {
    json.begin_object().key("fingerprint").value(group.fingerprint);
    json.key("drift").value(to_string(group.drift));
    write(json, "databases", group.databases);
    write(json, "statements", group.statements);
    write(json, "reasons", group.reasons);
    json.end_object();
  }
  json.end_array().end_object();
  return text + "\n";
}

}  // namespace

int schema_fingerprint(const SchemaFingerprintOptions& options) {
  std::vector<migrate::NamedCatalog> databases;
  for (size_t i = 0; i < options.databases.size(); ++i) {
    auto catalog = read(options.databases[i]);
    if (!catalog) {
      // Not what was given: it may hold a password.
      fmt::print(stderr, "partywall schema fingerprint: database {} of {}: {}\n", i + 1,
                 options.databases.size(), catalog.error().message);
      return catalog.error().kind == ErrorKind::kUnavailable ? kExitUnavailable : kExitFailure;
    }
    // On many servers it has the same name.
    const std::string name = fmt::format("{} (argument {})", catalog->database, i + 1);
    databases.push_back({name, *std::move(catalog)});
  }
  const auto groups = migrate::group_by_schema(databases);
  fmt::print("{}", options.format == PlanFormat::kJson ? to_json(groups) : to_text(groups));
  const bool refused = std::ranges::any_of(
      groups, [](const SchemaGroup& group) { return group.drift == migrate::Drift::kRefused; });
  return refused ? kExitFailure : kExitSuccess;
}

}  // namespace partywall::cli
