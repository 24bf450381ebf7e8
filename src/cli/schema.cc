#include "cli/schema.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "base/hex.h"
#include "cli/cell_database.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "sql/register_token.h"
#include "sql/schema/plan_text.h"
#include "store/platform_file.h"

namespace partywall::cli {
namespace {

// "1=old.key"; the file as the platform file wants it: 128 hexadecimal digits.
Result<sql::RegisterKey> read_previous_key(const std::string& option) {
  const size_t equals = option.find('=');
  sql::RegisterKey key;
  const auto [end, error] =
      std::from_chars(option.data(), option.data() + std::min(equals, option.size()), key.id);
  if (equals == std::string::npos || error != std::errc() || end != option.data() + equals) {
    return fail(ErrorKind::kInvalid,
                "--previous-key {}: expected <id>=<file>, such as 1=old-register.key", option);
  }
  const std::string path = option.substr(equals + 1);
  const auto file = store::DiskFileLoader("").load(path);
  if (!file) return std::unexpected(file.error());
  std::string_view digits = file->content;
  while (digits.ends_with('\n') || digits.ends_with('\r')) digits.remove_suffix(1);
  auto bytes = decode_hex(digits);
  if (!bytes || bytes->size() != sql::kRegisterKeyLength) {
    return fail(ErrorKind::kInvalid, "{} must hold {} hexadecimal digits", path,
                2 * sql::kRegisterKeyLength);
  }
  key.key = Secret(*std::move(bytes));
  return key;
}

}  // namespace

Result<Protection> read_protection(const SchemaProtectOptions& options) {
  Protection protection;
  sql::ProtectSettings& settings = protection.settings;
  if (!options.platform_file.empty()) {
    const auto platform = load_platform_file(options.platform_file);
    if (!platform)
      return fail(ErrorKind::kInvalid, "{} cannot be used as it is", options.platform_file);
    const auto cell = find_cell(platform->directory.cells, options.cell);
    if (!cell) return std::unexpected(cell.error());
    settings = sql::protect_settings_of(cell->sql);
    protection.endpoint = cell->sql.endpoint;
  }
  if (!options.previous_key.empty()) {
    auto previous = read_previous_key(options.previous_key);
    if (!previous) return std::unexpected(previous.error());
    settings.keys.push_back(*std::move(previous));
  }
  settings.lock_timeout = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(options.lock_timeout_seconds));
  settings.tenant_column = options.tenant_column;
  settings.temp_file_limit_mib = options.temp_file_limit_mib;
  std::ranges::copy(options.connect_roles, std::back_inserter(settings.connect_roles));
  return protection;
}

int schema_protect(const SchemaProtectOptions& options) {
  const auto protection = read_protection(options);
  if (!protection) return failed("schema protect", protection.error());
  const sql::ProtectSettings& settings = protection->settings;
  auto connection =
      postgres::Connection::open(connection_string(options.database, protection->endpoint));
  if (!connection) return failed("schema protect", connection.error());
  const bool is_dry_run = options.mode == SchemaMode::kDryRun;
  const auto plan = is_dry_run ? sql::plan_protection(*connection, settings)
                               : sql::protect_database(*connection, settings);
  if (!plan) return failed("schema protect", plan.error());
  const std::string name = connection->database();
  fmt::print("{}", is_dry_run ? sql::to_script(*plan, name, settings.lock_timeout)
                              : sql::to_report(*plan, name));
  return kExitSuccess;
}

}  // namespace partywall::cli
