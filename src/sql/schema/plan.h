#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

// What is to be done to a database, as data: it can be shown, tested, and carried out.
namespace partywall::sql {

// One statement and why it is needed.
struct SchemaStep {
  std::string sql;     // as shown; secrets are left out of it
  std::string reason;  // one line for people
  Secret run;          // what is run instead, where `sql` leaves a secret out
  Secret copy_data;    // data of a COPY … FROM STDIN
  // The present state cannot be seen (passwords, without superuser rights): done at every run.
  bool always = false;
};

enum class FindingLevel { kInfo, kWarning, kError };

std::string_view to_string(FindingLevel level);

// Something that is not changed, but that somebody should know or decide.
struct SchemaFinding {
  FindingLevel level = FindingLevel::kWarning;
  std::string object;   // "table public.orders"
  std::string message;  // what is so, and what follows from it
  std::string remedy;   // what to do; often a statement
};

struct SchemaPlan {
  std::vector<SchemaStep> steps;  // in this order, in one transaction
  std::vector<SchemaFinding> findings;
};

}  // namespace partywall::sql
