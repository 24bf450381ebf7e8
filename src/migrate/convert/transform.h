#pragma once

#include <map>
#include <string>
#include <vector>

#include "migrate/convert/rules.h"
#include "migrate/schema/catalog.h"
#include "sql/schema/plan.h"

// From an application's schema of one tenant to that of many: pure, catalog in, catalog out.
namespace partywall::migrate {

struct Conversion {
  Catalog wanted;
  std::map<std::string, TableClass> classes;  // of every table of the source
  // What cannot be converted: nothing is done while there is one.
  std::vector<sql::SchemaFinding> refusals;
  // What the application may have to change.
  std::vector<sql::SchemaFinding> breaks;
  std::vector<sql::SchemaFinding> findings;
  bool needs_sequence_functions = false;
};

[[nodiscard]] Conversion convert_catalog(const Catalog& source, const ConversionRules& rules);

}  // namespace partywall::migrate
