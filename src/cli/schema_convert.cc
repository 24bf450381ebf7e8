#include "cli/schema_convert.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "cli/cell_database.h"
#include "cli/exit_code.h"
#include "migrate/convert/report.h"

namespace partywall::cli {
namespace {

int failed(const Error& error) {
  fmt::print(stderr, "partywall schema convert: {}\n", error.message);
  return error.kind == ErrorKind::kUnavailable ? kExitUnavailable : kExitFailure;
}

bool show(const Diagnostics& diagnostics, const std::string& file) {
  for (const Diagnostic& one : diagnostics.items())
    fmt::print(stderr, "{}\n", to_string(one, file));
  return !diagnostics.has_errors();
}

std::optional<migrate::ConversionRules> load_rules(const std::string& file) {
  if (file.empty()) return migrate::ConversionRules{};
  const auto text = store::DiskFileLoader("").load(file);
  if (!text) {
    fmt::print(stderr, "{}\n", text.error().message);
    return std::nullopt;
  }
  Diagnostics diagnostics;
  auto rules = migrate::read_conversion_rules(text->content, diagnostics);
  if (!show(diagnostics, file)) return std::nullopt;
  return rules;
}

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
  if (!protection) return failed(protection.error());
  settings.protection = protection->settings;
  auto rules = load_rules(options.rules_file);
  if (!rules) return kExitUsage;
  settings.rules = *std::move(rules);
  const auto source = read_source(options.source);
  if (!source) return failed(source.error());
  Diagnostics diagnostics;
  migrate::check_rules(settings.rules, *source, diagnostics);
  if (!show(diagnostics, options.rules_file)) return kExitUsage;

  auto target =
      postgres::Connection::open(connection_string(options.to.database, protection->endpoint));
  if (!target) return failed(target.error());
  const auto plan = options.to.mode == SchemaMode::kDryRun
                        ? migrate::plan_conversion(*source, *target, settings)
                        : migrate::convert_schema(*source, *target, settings);
  if (!plan) return failed(plan.error());
  fmt::print("{}", written(*plan, options, settings.protection.lock_timeout));
  return plan->refusals.empty() ? kExitSuccess : kExitFailure;
}

}  // namespace partywall::cli
