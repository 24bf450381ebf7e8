#include "sql/schema/array_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::sql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ArrayText, ReadsWhatTheServerWrites) {
  EXPECT_THAT(from_array_text("{}"), IsEmpty());
  EXPECT_THAT(from_array_text(""), IsEmpty());
  EXPECT_THAT(from_array_text("{a,b}"), ElementsAre("a", "b"));
  EXPECT_THAT(from_array_text(R"({"a,b","say \"x\"","back\\slash","",plain})"),
              ElementsAre("a,b", "say \"x\"", "back\\slash", "", "plain"));
}

TEST(ArrayText, ReadsWhatItWrites) {
  const std::vector<std::string> elements{"", "a", "{}", "a,b", "\"", "\\", "\\\"", " x ", "NULL"};
  EXPECT_EQ(from_array_text(to_array_text(elements)), elements);
  EXPECT_EQ(to_array_text({}), "{}");
}

}  // namespace
}  // namespace partywall::sql
