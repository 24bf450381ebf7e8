#include "cli/control.h"

#include <cstdio>
#include <optional>

#include "admin/api/authenticator.h"
#include "base/log.h"
#include "cli/exit_code.h"
#include "control/controller.h"
#include "control/redis_engines.h"
#include "daemon/control_server.h"
#include "daemon/termination.h"
#include "store/control/admin_tokens.h"
#include "store/control/migrate.h"
#include "store/control_file.h"
#include "store/control_store_options.h"
#include "store/file_loader.h"

namespace partywall::cli {
namespace {

int give_up(const Error& error) {
  fmt::print(stderr, "partywall: {}\n", error.message);
  return kExitFailure;
}

std::optional<store::ControlFile> load(const std::string& path) {
  auto files = store::DiskFileLoader::beside(path);
  Diagnostics diagnostics;
  auto file = store::load_control_file(store::file_name_of(path), files, diagnostics);
  for (const Diagnostic& found : diagnostics.items())
    fmt::print(stderr, "{}\n", to_string(found, path));
  if (!file) fmt::print(stderr, "partywall: {} cannot be used\n", path);
  return file;
}

Result<> bring_up_to_date(const store::ControlFile& file) {
  auto connection = postgres::Connection::open(file.store->connection);
  if (!connection) return fail_with_context("control store", connection.error());
  const auto applied = store::migrate(*connection);
  if (!applied) return fail_with_context("control store", applied.error());
  for (const int number : *applied) log_info("control store: migrated", {{"migration", number}});
  return {};
}

}  // namespace

int run_control(const std::string& control_file) {
  daemon::TerminationSignals signals;
  SystemTime time;
  SystemRandom random;
  const auto file = load(control_file);
  if (!file) return kExitFailure;
  if (auto migrated = bring_up_to_date(*file); !migrated) return give_up(migrated.error());
  auto server = daemon::ControlServer::start(*file, time, random);
  if (!server) return give_up(server.error());
  log_info("admin API listens", {{"endpoint", (*server)->endpoint().to_string()}});
  control::RedisEngines engines;
  std::optional<control::Controller> controller;
  if (file->operations.run) {
    controller.emplace(
        control::ControllerSettings{
            .store = *file->store, .name = store::host_name(), .lease = file->operations.lease},
        engines, time, random);
  }
  while (signals.wait() == daemon::Wakeup::kReload)
    log_warning("SIGHUP: the control file is read at the start only", {});
  return kExitSuccess;
}

int create_first_token(const AdminTokenRequest& request) {
  SystemRandom random;
  const auto file = load(request.control_file);
  if (!file) return kExitFailure;
  if (auto migrated = bring_up_to_date(*file); !migrated) return give_up(migrated.error());
  const auto role = admin::parse_role(request.role);
  if (!role) return give_up(role.error());
  if (*role == admin::Role::kTenantAdmin) {
    return give_up({ErrorKind::kInvalid,
                    "a tenant-admin's token is made through the API: partywall token create"});
  }
  store::ControlStore store(*file->store, random);
  const Secret token = admin::make_admin_token(random);
  const auto made = store.change({.actor = "partywall bootstrap-token", .reason = "first token"},
                                 [&](store::Change& change) -> Result<> {
                                   return store::insert_admin_token(
                                       change,
                                       {.id = store::AdminTokenId(Uuid::random(random)),
                                        .name = request.name,
                                        .role = request.role},
                                       sha256(token.reveal()));
                                 });
  if (!made) return give_up(made.error());
  fmt::print("{}\n", token.reveal());
  return kExitSuccess;
}

}  // namespace partywall::cli
