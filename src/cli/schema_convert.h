#pragma once

#include <string>
#include <vector>

#include "cli/schema.h"

namespace partywall::cli {

enum class PlanFormat { kText, kJson };

// `partywall schema convert SOURCE --to TARGET`
struct SchemaConvertOptions {
  std::string source;       // a name, or a libpq connection string or URI
  SchemaProtectOptions to;  // the target, and how it is protected; its tenant column is not used
  std::string rules_file;
  PlanFormat format = PlanFormat::kText;
};

// kExitFailure: something is refused or failed, nothing was changed; kExitUsage: a file is wrong;
// kExitUnavailable: a database could not be looked at.
int schema_convert(const SchemaConvertOptions& options);

// `partywall schema fingerprint DATABASE…`
struct SchemaFingerprintOptions {
  std::vector<std::string> databases;  // the first is the reference
  PlanFormat format = PlanFormat::kText;
};

// kExitFailure: a schema has drifted further than is allowed.
int schema_fingerprint(const SchemaFingerprintOptions& options);

}  // namespace partywall::cli
