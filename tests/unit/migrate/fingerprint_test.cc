#include "migrate/schema/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/schema/order.h"
#include "migrate/schema/qualified_name.h"
#include "migrate/schema_builder.h"

namespace partywall::migrate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Fingerprint, DoesNotDependOnOrderCommentsOrRights) {
  Catalog other = shop();
  std::ranges::reverse(other.tables);
  std::ranges::reverse(other.tables[0].columns);
  other.comments.emplace("TABLE public.orders", "orders");
  other.grants.insert({"TABLE public.orders", "clerk", "SELECT"});
  other.tables[0].may_have_rows = true;
  EXPECT_EQ(fingerprint_of(other), fingerprint_of(shop()));
}

TEST(Fingerprint, DependsOnEverythingElse) {
  const std::vector<std::function<void(Catalog&)>> changes{
      [](Catalog& c) { c.tables[0].columns[1].type = "varchar"; },
      [](Catalog& c) { c.tables[0].columns[1].not_null = true; },
      [](Catalog& c) { c.tables[0].columns[0].default_value = "1"; },
      [](Catalog& c) { c.tables[0].constraints[0].name = "other"; },
      [](Catalog& c) { c.tables[0].indexes[0].is_unique = false; },
      [](Catalog& c) { c.sequences[0].options = "AS bigint"; },
      [](Catalog& c) { c.schemas.insert("more"); },
      [](Catalog& c) { c.tables.pop_back(); },
  };
  for (const auto& change : changes) {
    Catalog other = shop();
    change(other);
    EXPECT_NE(fingerprint_of(other), fingerprint_of(shop()));
  }
}

TEST(Fingerprint, GroupsAndJudges) {
  Catalog without_email = shop();
  without_email.tables[0].columns.pop_back();
  without_email.tables[0].constraints.pop_back();
  without_email.tables[0].indexes.clear();
  Catalog only_column = shop();
  only_column.tables[1].columns.push_back(column("note", "text"));
  Catalog reference = only_column;
  reference.tables[1].columns.push_back(column("more", "text"));
  const auto groups = group_by_schema({{"a", reference},
                                       {"b", only_column},
                                       {"c", without_email},
                                       {"d", only_column},
                                       {"e", reference}});
  ASSERT_THAT(groups, SizeIs(3));
  EXPECT_THAT(groups[0].databases, ElementsAre("a", "e"));
  EXPECT_EQ(groups[0].drift, Drift::kNone);
  EXPECT_THAT(groups[1].databases, ElementsAre("b", "d"));
  EXPECT_EQ(groups[1].drift, Drift::kAllowed);
  EXPECT_THAT(groups[1].statements, ElementsAre("ALTER TABLE public.orders ADD COLUMN more text"));
  EXPECT_EQ(groups[2].drift, Drift::kRefused);
}

TEST(Fingerprint, ASurplusColumnIsRefused) {
  Catalog other = shop();
  other.tables[1].columns.push_back(column("note", "text"));
  const auto groups = group_by_schema({{"a", shop()}, {"b", other}});
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_EQ(groups[1].drift, Drift::kRefused);
  EXPECT_THAT(groups[1].statements, IsEmpty());
  EXPECT_THAT(groups[1].reasons, ElementsAre(HasSubstr("column note is not in the source")));
}

TEST(Order, PutsWhatIsUsedFirstAndKeepsTheRest) {
  EXPECT_THAT(ordered_by_use({"a", "b", "c", "d"}, {{"a", "c"}, {"c", "d"}, {"b", "x"}}).value(),
              ElementsAre("b", "d", "c", "a"));
}

TEST(Order, NamesACircle) {
  const auto failed = ordered_by_use({"a", "b", "c"}, {{"a", "b"}, {"b", "a"}});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("a, b"));
}

TEST(QualifiedName, IsReadFromTheServersText) {
  EXPECT_EQ(qualified_name("public.film"), (sql::QualifiedName{"public", "film"}));
  EXPECT_EQ(qualified_name(R"("Back Office"."a ""b"".c")"),
            (sql::QualifiedName{"Back Office", R"(a "b".c)"}));
}

}  // namespace
}  // namespace partywall::migrate
