#include "cli/store.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/platform_loader.h"
#include "store/control/directory_documents.h"
#include "store/control/import.h"
#include "store/control/migrate.h"
#include "store/control_store_options.h"

namespace partywall::cli {
namespace {

// The section `control_store` of the file; what is wrong was printed.
std::optional<store::ControlStoreOptions> load_options(const std::string& platform_file) {
  PlatformLoader platform(platform_file);
  auto loaded = platform.load();
  if (!loaded) return std::nullopt;
  if (!loaded->control_store)
    fmt::print(stderr, "partywall: {} has no section 'control_store'\n", platform_file);
  return std::move(loaded->control_store);
}

Result<postgres::Connection> connect(const store::ControlStoreOptions& options) {
  auto settings = options.connection;
  settings.statement_timeout = Duration::zero();  // a migration takes what it takes
  settings.answer_timeout = Duration::zero();
  auto opened = postgres::Connection::open(settings);
  if (!opened) return std::unexpected(Error(opened.error()));
  return *std::move(opened);
}

void print_applied(const std::vector<int>& applied) {
  for (const int number : applied) fmt::print("applied migration {}\n", number);
  if (applied.empty()) fmt::print("nothing to apply\n");
}

store::Author author_of(std::string_view command) {
  return {.actor = fmt::format("partywall store {}", command), .reason = "command line"};
}

}  // namespace

int store_init(const std::string& platform_file, const std::vector<std::string>& node_roles) {
  const auto options = load_options(platform_file);
  if (!options) return kExitFailure;
  auto connection = connect(*options);
  if (!connection) return failed("store init", connection.error());
  const auto applied = store::migrate(*connection);
  if (!applied) return failed("store init", applied.error());
  print_applied(*applied);
  if (auto closed = store::close_database(*connection); !closed)
    return failed("store init", closed.error());
  for (const std::string& role : node_roles) {
    if (auto granted = store::grant_node_role(*connection, role); !granted)
      return failed("store init", granted.error());
    fmt::print("role {} may read as a node\n", role);
  }
  return kExitSuccess;
}

int store_migrate(const std::string& platform_file) {
  const auto options = load_options(platform_file);
  if (!options) return kExitFailure;
  auto connection = connect(*options);
  if (!connection) return failed("store migrate", connection.error());
  const auto applied = store::migrate(*connection);
  if (!applied) return failed("store migrate", applied.error());
  print_applied(*applied);
  return kExitSuccess;
}

int store_status(const std::string& platform_file) {
  const auto options = load_options(platform_file);
  if (!options) return kExitFailure;
  auto connection = connect(*options);
  if (!connection) return failed("store status", connection.error());
  const auto status = store::schema_status(*connection);
  if (!status) return failed("store status", status.error());
  fmt::print("schema: migration {} of {}\n", status->installed, status->known);
  if (auto usable = store::check_schema(*connection); !usable)
    return failed("store status", usable.error());
  const auto head = connection->execute(
      "SELECT h.version, (SELECT count(*) FROM partywall.events), (SELECT count(*) FROM "
      "partywall.tenants WHERE status <> "
      "'erased'), (SELECT count(*) FROM partywall.cells) FROM partywall.head h");
  if (!head) return failed("store status", head.error());
  fmt::print("directory: version {}, {} tenants in {} cells\nevents: {}\n", head->text(0, 0),
             head->text(0, 2), head->text(0, 3), head->text(0, 1));
  const auto nodes = connection->execute(
      "SELECT name, directory_version, release, "
      "ceil(extract(epoch FROM now() - seen_at))::bigint FROM partywall.nodes ORDER BY name");
  if (!nodes) return failed("store status", nodes.error());
  for (size_t row = 0; row < nodes->size(); ++row) {
    fmt::print("node {}: version {}, release {}, seen {} s ago\n", nodes->text(row, 0),
               nodes->text(row, 1), nodes->text(row, 2), nodes->text(row, 3));
  }
  return kExitSuccess;
}

int store_import(const std::string& platform_file, const std::string& source) {
  auto options = load_options(platform_file);
  if (!options) return kExitFailure;
  PlatformLoader platform(source);
  const auto loaded = platform.load();
  if (!loaded) return kExitFailure;
  if (loaded->control_store) {
    return failed("store import",
                  {ErrorKind::kInvalid, source + " keeps its directory in a control store itself"});
  }
  options->connection.statement_timeout = options->connection.answer_timeout = Duration::zero();
  auto settings = store::to_settings(*options);
  if (!settings) return failed("store import", settings.error());
  SystemRandom random;
  store::ControlStore store(*std::move(settings), random);
  const DirectoryData& data = loaded->directory->data();
  const auto imported = store.change(author_of("import"), [&](store::Change& change) {
    return store::import_directory(change, data);
  });
  if (!imported) return failed("store import", imported.error());
  fmt::print("imported {} tenants, {} tiers and {} cells\n", data.tenants.size(), data.tiers.size(),
             data.cells.size());
  return kExitSuccess;
}

int store_restored(const std::string& platform_file, uint64_t above) {
  const auto options = load_options(platform_file);
  if (!options) return kExitFailure;
  auto settings = store::to_settings(*options);
  if (!settings) return failed("store restored", settings.error());
  SystemRandom random;
  store::ControlStore store(*std::move(settings), random);
  const auto version = store.change(author_of("restored"), [&](store::Change& change) {
    return store::start_new_incarnation(change, above);
  });
  if (!version) return failed("store restored", version.error());
  fmt::print("the directory is at version {}; every node reads it anew\n", *version);
  return kExitSuccess;
}

}  // namespace partywall::cli
