#pragma once

#include <string>

#include "base/uuid.h"
#include "migrate/convert/rules.h"
#include "migrate/copy/copy_chunks.h"
#include "migrate/preflight/judge.h"
#include "migrate/verify/verify.h"

namespace partywall::migrate {

// What is to be moved, and how.
struct MigrationTask {
  std::string source;  // connection strings
  std::string target;
  Uuid tenant;
  std::string slug;
  ConversionRules rules;
  SourceUse use = SourceUse::kAtRest;
  CopySettings copy;
  VerifySettings verify;
};

}  // namespace partywall::migrate
