#include "migrate/copy/relation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::migrate {
namespace {

using testing::ElementsAre;

Relation film(uint64_t blocks = 0) {
  return {.name = "public.film", .columns = {{"id"}, {"title"}}, .key = {"id"}, .blocks = blocks};
}

TEST(PlanChunks, CoversEveryBlockOnce) {
  for (const uint64_t step : {0, 1, 2, 7, 100}) {
    for (uint64_t blocks = 0; blocks < 30; ++blocks) {
      uint64_t place = 0;
      const auto chunks = plan_chunks(film(blocks), step);
      ASSERT_FALSE(chunks.empty());
      for (size_t i = 0; i < chunks.size(); ++i) {
        EXPECT_EQ(chunks[i].number, i);
        EXPECT_EQ(chunks[i].first_block, place);
        if (i + 1 < chunks.size()) EXPECT_GT(chunks[i].end_block, place);
        place = chunks[i].end_block;
      }
      // The last takes what is added meanwhile.
      EXPECT_EQ(place, 0U) << blocks << " " << step;
    }
  }
}

TEST(CopyStatements, NameColumnsAndBlocks) {
  EXPECT_EQ(copy_out_statement(film(), {"public.film", 1, 10, 20}),
            "COPY (SELECT id, title FROM ONLY public.film WHERE ctid >= '(10,0)' AND ctid < "
            "'(20,0)') TO STDOUT (FORMAT binary)");
  EXPECT_EQ(copy_out_statement(film(), {"public.film", 0, 0, 20}),
            "COPY (SELECT id, title FROM ONLY public.film WHERE ctid < '(20,0)') TO STDOUT (FORMAT "
            "binary)");
  EXPECT_EQ(copy_out_statement(film(), {"public.film", 0, 0, 0}),
            "COPY (SELECT id, title FROM ONLY public.film) TO STDOUT (FORMAT binary)");
  EXPECT_EQ(copy_in_statement(film(), "tenant_id"),
            "COPY public.film (tenant_id, id, title) FROM STDIN (FORMAT binary)");
}

TEST(CopyStatements, AreTextWhereAnImageIsNotPortable) {
  Relation relation = film();
  relation.columns.push_back({"moods", false});
  EXPECT_EQ(copy_in_statement(relation, "t"),
            "COPY public.film (t, id, title, moods) FROM STDIN (FORMAT text)");
}

TEST(CopyStatements, WorkWithoutColumns) {
  EXPECT_EQ(copy_in_statement({.name = "public.nothing"}, "t"),
            "COPY public.nothing (t) FROM STDIN (FORMAT binary)");
}

}  // namespace
}  // namespace partywall::migrate
