#pragma once

#include "migrate/convert/transform.h"

// The parts of convert_catalog. Each changes `conversion.wanted`, which begins as the source, and
// notes what it refuses and what breaks.
namespace partywall::migrate {

// Columns, keys and indexes of one table that belongs to tenants.
void convert_tenant_table(Table& table, const ConversionRules& rules, Conversion& conversion);
// A table that is one for all tenants.
void convert_global_table(const Table& table, Conversion& conversion);
void convert_views(const ConversionRules& rules, Conversion& conversion);
void convert_routines(const ConversionRules& rules, Conversion& conversion);
// After the tables: says which sequences are templates, and leaves out those nobody needs.
void convert_sequences(const Catalog& source, const ConversionRules& rules, Conversion& conversion);
// What holds for every application, and what the bodies of functions say.
void find_breaks(const Catalog& source, Conversion& conversion);

inline void refuse(Conversion& conversion, std::string object, std::string message,
                   std::string remedy) {
  conversion.refusals.push_back(
      {sql::FindingLevel::kError, std::move(object), std::move(message), std::move(remedy)});
}

inline void breaks(Conversion& conversion, sql::FindingLevel level, std::string object,
                   std::string message, std::string remedy) {
  conversion.breaks.push_back({level, std::move(object), std::move(message), std::move(remedy)});
}

[[nodiscard]] inline TableClass class_of(const Conversion& conversion, const std::string& table) {
  const auto found = conversion.classes.find(table);
  return found == conversion.classes.end() ? TableClass::kExcluded : found->second;
}

}  // namespace partywall::migrate
