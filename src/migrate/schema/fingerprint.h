#pragma once

#include <string>
#include <vector>

#include "migrate/schema/catalog.h"

// Which of many customers' databases have the same schema, and how far the others have drifted.
namespace partywall::migrate {

// Hexadecimal SHA-256 of everything that find_difference compares, but comments and rights: the
// same for two databases exactly if they have the same schema, whatever the order of their columns.
[[nodiscard]] std::string fingerprint_of(const Catalog& catalog);

enum class Drift : uint8_t {
  kNone,     // the schema of the reference
  kAllowed,  // only columns are missing, and rows can do without them
  kRefused,
};

[[nodiscard]] std::string_view to_string(Drift drift);

struct SchemaGroup {
  std::string fingerprint;
  std::vector<std::string> databases;
  Drift drift = Drift::kNone;
  std::vector<std::string> statements;  // what makes it the reference's
  std::vector<std::string> reasons;     // what no statement here can do, and what is surplus
};

struct NamedCatalog {
  std::string name;  // as it was given
  Catalog catalog;
};

// The first of `databases` is the reference; its group comes first, the others by size.
[[nodiscard]] std::vector<SchemaGroup> group_by_schema(const std::vector<NamedCatalog>& databases);

}  // namespace partywall::migrate
