#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "migrate/schema/catalog.h"

// What somebody decided about a conversion: the file that `partywall schema convert --rules` reads.
namespace partywall::migrate {

enum class TableClass : uint8_t {
  kTenant,    // gets the tenant column
  kGlobal,    // one for all tenants, who may read it
  kExcluded,  // is not made in the target
};

enum class ViewTreatment : uint8_t { kRefuse, kAsView, kExcluded };

template <class Choice>
struct Ruled {
  Choice choice;
  SourcePosition where;
};

struct ConversionRules {
  std::string tenant_column = "tenant_id";
  std::map<std::string, Ruled<TableClass>> tables;
  std::map<std::string, Ruled<ViewTreatment>> materialized_views;
  // One for all tenants, who may draw from it.
  std::map<std::string, SourcePosition> shared_sequences;
  // SECURITY DEFINER functions that stay so.
  std::map<std::string, SourcePosition> definers;
  // Objects of other kinds that the target does without, as a refusal names them.
  std::map<std::string, SourcePosition> left_out;

  [[nodiscard]] std::set<std::string> shared_sequence_names() const;
};

[[nodiscard]] ConversionRules read_conversion_rules(std::string_view yaml,
                                                    Diagnostics& diagnostics);

// Reports every name that the source does not have.
void check_rules(const ConversionRules& rules, const Catalog& source, Diagnostics& diagnostics);

// What a table is without a rule: tables in which tools note the schema's version are global, all
// others belong to tenants.
[[nodiscard]] TableClass usual_class(std::string_view table);

}  // namespace partywall::migrate
