#include "cli/migrate_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

CopyView half_done() {
  return {
      .relations =
          {{.name = "public.orders", .rows = 1'234'567, .chunks = 4, .finished = 2, .blocks = 100},
           {.name = "public.empty", .chunks = 1, .finished = 1}},
      .rows_now = 1'000'000,
      .elapsed = seconds(10)};
}

TEST(MigrateView, TheShareGoesByBlocks) {
  EXPECT_DOUBLE_EQ(share_done({}), 1);
  EXPECT_DOUBLE_EQ(share_done(half_done().relations), 51.0 / 101);
}

TEST(MigrateView, TheSummarySaysHowFastAndHowLong) {
  EXPECT_EQ(summary_line(half_done()), "100,000 rows/s, 50 %, about 10s left");
}

TEST(MigrateView, WhatWasDoneBeforeIsNotSpeed) {
  CopyView view = half_done();
  view.share_before = share_done(view.relations);
  view.rows_now = 0;
  EXPECT_EQ(summary_line(view), "0 rows/s, 50 %");
}

TEST(MigrateView, BarsAreOfWhatIsCopiedNow) {
  EXPECT_THAT(progress_lines(half_done(), 79, 10),
              ElementsAre("[############............]  50 %     1,234,567 public.orders",
                          "100,000 rows/s, 50 %, about 10s left"));
}

TEST(MigrateView, BarsFitTheTerminal) {
  CopyView view = half_done();
  view.relations[0].name = "public.\"ä\"";
  view.relations.resize(1);
  for (int i = 0; i < 100; ++i) view.relations.push_back(view.relations[0]);
  for (size_t width = 1; width < 70; ++width) {
    const auto lines = progress_lines(view, width, 5);
    ASSERT_THAT(lines, SizeIs(5));
    for (const std::string& line : lines) {
      EXPECT_LE(line.size(), width);
      EXPECT_FALSE(line.ends_with('\xc3'));
    }
  }
}

// A customer's database may have any name in it.
TEST(MigrateView, NamesDoNotMoveTheCursor) {
  CopyView view = half_done();
  view.relations[0].name = "public.\"\033[2J\"";
  EXPECT_THAT(progress_lines(view, 79, 10)[0], HasSubstr("public.\"?[2J\""));
  const migrate::RelationVerdict verdict{
      .relation = "public.\"\r\"",
      .differences = {{migrate::DifferenceKind::kMissing, "(a\nb)"}},
      .has_more = true};
  EXPECT_EQ(verdict_text(verdict),
            "public.\"?\" differs: 0 rows in the source, 0 in the target\n  missing (a?b)\n  … and "
            "more\n");
}

TEST(MigrateView, JsonHasWhatTheTextHas) {
  const migrate::RelationVerdict verdict{.relation = "public.a",
                                         .source = {.rows = 2, .sum = 10, .mixed = 11},
                                         .target = {.rows = 1},
                                         .differences = {{migrate::DifferenceKind::kMissing, "7"}}};
  EXPECT_EQ(verdict_json(verdict),
            R"({"event":"compared","relation":"public.a","equal":false,"source":{"rows":2,)"
            R"("sum":"000000000000000a","mixed":"000000000000000b"},"target":{"rows":1,)"
            R"("sum":"0000000000000000","mixed":"0000000000000000"},)"
            R"("differences":[{"kind":"missing","row":"7"}],"has_more":false})");
  const std::vector<migrate::BrokenReference> broken{{"k on a.b", 3}};
  EXPECT_EQ(references_json(broken),
            R"({"event":"references","broken":[{"constraint":"k on a.b","rows":3}]})");
}

}  // namespace
}  // namespace partywall::cli
