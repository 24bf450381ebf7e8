#include "cli/schema_convert.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/cell_database.h"
#include "cli/conversion_rules.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "migrate/convert/report.h"

namespace partywall::cli {
namespace {

Result<migrate::Catalog> read_source(const std::string& database) {
  auto connection = postgres::Connection::open(connection_string(database, {}));
  if (!connection) return std::unexpected(connection.error());
  return migrate::read_source(*connection);
}

std::string written(const migrate::ConversionPlan& plan, const SchemaConvertOptions& options,
                    Duration lock_timeout) {
  const auto stage = options.to.mode == SchemaMode::kDryRun ? migrate::Stage::kPlanned
                                                            : migrate::Stage::kCarriedOut;
  return options.format == PlanFormat::kJson
             ? migrate::to_conversion_json(plan, stage)
             : migrate::to_conversion_text(plan, stage, lock_timeout);
}

}  // namespace

int schema_convert(const SchemaConvertOptions& options) {
  migrate::ConvertSettings settings;
  const auto protection = read_protection(options.to);
  if (!protection) return failed("schema convert", protection.error());
  settings.protection = protection->settings;
  auto rules = load_conversion_rules(options.rules_file);
  if (!rules) return kExitUsage;
  settings.rules = *std::move(rules);
  const auto source = read_source(options.source);
  if (!source) return failed("schema convert", source.error());
  Diagnostics diagnostics;
  migrate::check_rules(settings.rules, *source, diagnostics);
  if (!print_diagnostics(diagnostics, options.rules_file)) return kExitUsage;

  auto target =
      postgres::Connection::open(connection_string(options.to.database, protection->endpoint));
  if (!target) return failed("schema convert", target.error());
  const auto plan = options.to.mode == SchemaMode::kDryRun
                        ? migrate::plan_conversion(*source, *target, settings)
                        : migrate::convert_schema(*source, *target, settings);
  if (!plan) return failed("schema convert", plan.error());
  fmt::print("{}", written(*plan, options, settings.protection.lock_timeout));
  return plan->refusals.empty() ? kExitSuccess : kExitFailure;
}

}  // namespace partywall::cli
