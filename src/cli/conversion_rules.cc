#include "cli/conversion_rules.h"

#include <cstdio>

#include "migrate/schema/qualified_name.h"
#include "store/file_loader.h"

namespace partywall::cli {

bool print_diagnostics(const Diagnostics& diagnostics, const std::string& file) {
  for (const Diagnostic& one : diagnostics.items())
    fmt::print(stderr, "{}\n", to_string(one, file));
  return !diagnostics.has_errors();
}

std::optional<migrate::ConversionRules> load_conversion_rules(const std::string& file) {
  if (file.empty()) return migrate::ConversionRules{};
  const auto text = store::DiskFileLoader("").load(file);
  if (!text) {
    fmt::print(stderr, "{}\n", text.error().message);
    return std::nullopt;
  }
  Diagnostics diagnostics;
  auto rules = migrate::read_conversion_rules(text->content, diagnostics);
  if (!print_diagnostics(diagnostics, file)) return std::nullopt;
  return rules;
}

migrate::TableNames tables_left_out(const migrate::ConversionRules& rules) {
  migrate::TableNames tables;
  for (const auto& [table, ruled] : rules.tables) {
    if (ruled.choice == migrate::TableClass::kTenant) continue;
    const auto name = migrate::qualified_name(table);
    tables.emplace(name.schema, name.name);
  }
  return tables;
}

}  // namespace partywall::cli
