#include "cli/migrate_place.h"

#include <gtest/gtest.h>

#include "cli/exit_code.h"

namespace partywall::cli {
namespace {

// A database that refuses a role or has no such table is neither "none was begun" nor "it is
// verified".
TEST(MigratePlace, ExitCodesSayNothingThatOnlyACommandCanMean) {
  const auto code = [](ErrorKind kind) { return migrate_failed("status", {kind, "of a test"}); };
  EXPECT_EQ(code(ErrorKind::kDenied), kExitFailure);
  EXPECT_EQ(code(ErrorKind::kNotFound), kExitFailure);
  EXPECT_EQ(code(ErrorKind::kConflict), kExitConflict);
  EXPECT_EQ(code(ErrorKind::kUnavailable), kExitUnavailable);
  EXPECT_EQ(code(ErrorKind::kTimeout), kExitUnavailable);
}

}  // namespace
}  // namespace partywall::cli
