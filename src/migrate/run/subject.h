#pragma once

#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "migrate/convert/transform.h"
#include "migrate/copy/relation.h"
#include "migrate/schema/catalog.h"

namespace partywall::migrate {

// What is migrated: a database of one tenant, as its catalogs say.
struct Subject {
  Catalog catalog;
  Conversion conversion;  // what its schema becomes
  std::vector<Relation> relations;
  std::string fingerprint;
  std::string identity;  // which database it is: to_string(DatabaseIdentity)

  [[nodiscard]] std::vector<std::string> global_tables() const;
};

// `diagnostics` gets what is wrong with the rules; then the failure is kInvalid.
Result<Subject> read_subject(const std::string& source, const ConversionRules& rules,
                             Diagnostics& diagnostics);

}  // namespace partywall::migrate
