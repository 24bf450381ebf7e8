#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "sql/statement.h"

namespace partywall::sql {

// What a client asked for that took long: a Query, or the messages up to a Sync.
struct SlowStatement {
  std::string text;  // the first statement's, cut; as the client wrote it: with its constants
  SqlSyntax syntax;
  Duration took{};
  uint64_t rows = 0;        // returned or changed
  uint32_t statements = 0;  // that were completed
  bool failed = false;
};

}  // namespace partywall::sql
