#include "migrate/verify/verify.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/copy_stream.h"
#include "migrate/verify/read_side.h"
#include "migrate/verify/row_differences.h"
#include "migrate/verify/row_images.h"
#include "migrate/verify/table_digest.h"

namespace partywall::migrate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(RowReader, VisitsEveryRowHoweverTheStreamIsCut) {
  const std::string stream = binary_stream({{"1", "abc"}, {std::nullopt, ""}});
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    std::vector<std::string> seen;
    RowReader reader(2, [&](const RowImage& row) {
      seen.push_back(std::string(row.value(0)) + "|" + std::string(row.value(1)) + "|" +
                     std::to_string(row.fields(0, 2).size()));
    });
    for (size_t at = 0; at < stream.size(); at += piece)
      ASSERT_TRUE(reader.feed(std::string_view(stream).substr(at, piece)));
    ASSERT_TRUE(reader.finish());
    EXPECT_THAT(seen, ElementsAre("1|abc|12", "||8")) << piece;
  }
}

TEST(RowReader, RefusesWhatIsNotACompleteStream) {
  const auto fails = [](std::string_view stream) {
    RowReader reader(1, [](const RowImage&) {});
    return !reader.feed(stream) || !reader.finish();
  };
  const std::string header = binary_header();
  EXPECT_TRUE(fails(""));
  EXPECT_TRUE(fails(header));
  EXPECT_TRUE(fails(std::string(19, 'x')));
  EXPECT_TRUE(fails(header + binary_row({"1", "2"}) + binary_trailer()));
  EXPECT_TRUE(fails(header + binary_row({"1"})));
  EXPECT_TRUE(fails(header + big_endian(1, 2) + "\377\377\377\376"));
  EXPECT_TRUE(fails(header + binary_trailer() + binary_row({"1"})));
  EXPECT_FALSE(fails(header + binary_row({"1"}) + binary_trailer()));
}

TEST(Digest, DoesNotDependOnTheOrderOfRows) {
  Digest a;
  Digest b;
  for (const uint64_t hash : {1, 2, 3}) a.add_row(hash);
  for (const uint64_t hash : {3, 1, 2}) b.add_row(hash);
  EXPECT_EQ(a, b);
}

// The sum alone would be the same.
TEST(Digest, TellsChangesWithTheSameSumApart) {
  Digest a;
  Digest b;
  for (const uint64_t hash : {10, 20}) a.add_row(hash);
  for (const uint64_t hash : {11, 19}) b.add_row(hash);
  EXPECT_EQ(a.sum, b.sum);
  EXPECT_NE(a, b);
}

// A pair that is there once more would leave an exclusive or alone as it was.
TEST(Digest, TellsDoubledPairsApart) {
  Digest a;
  Digest b;
  a.add_row(7);
  for (int i = 0; i < 3; ++i) b.add_row(7);
  EXPECT_EQ(a.mixed, b.mixed);
  EXPECT_NE(a, b);
}

TEST(TableDigest, NamesTheBucketThatDiffers) {
  TableDigest a;
  TableDigest b;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const size_t bucket = TableDigest::bucket_of(std::to_string(i));
    a.add_row(bucket, i);
    b.add_row(bucket, i == 4711 ? 0 : i);
  }
  EXPECT_EQ(a.total().rows, 10'000);
  EXPECT_THAT(a.differing(b), ElementsAre(TableDigest::bucket_of("4711")));
  EXPECT_THAT(a.differing(a), IsEmpty());
}

TEST(RowDifferences, SayWhatHappenedToEachRow) {
  KeyedRows source;
  KeyedRows target;
  source.add("same", "(same)", 1);
  target.add("same", "(same)", 1);
  source.add("changed", "(changed)", 2);
  target.add("changed", "(changed)", 3);
  source.add("missing", "(missing)", 4);
  target.add("extra", "(extra)", 5);
  source.add("doubled", "(doubled)", 6);
  target.add("doubled", "(doubled)", 6);
  target.add("doubled", "(doubled)", 6);
  EXPECT_THAT(find_row_differences(source, target),
              UnorderedElementsAre(RowDifference{DifferenceKind::kChanged, "(changed)"},
                                   RowDifference{DifferenceKind::kMissing, "(missing)"},
                                   RowDifference{DifferenceKind::kExtra, "(extra)"},
                                   RowDifference{DifferenceKind::kDoubled, "(doubled)"}));
}

// Against a model: whatever is done to a copy, the differences say how to undo it.
TEST(RowDifferences, CountEveryFault) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    KeyedRows source;
    KeyedRows target;
    std::map<DifferenceKind, size_t> expected;
    for (int key = 0; key < 20; ++key) {
      const std::string name = std::to_string(key);
      const auto fault = random() % 6;
      if (fault != 2) source.add(name, name, 100);
      if (fault == 0) {
        target.add(name, name, 200);
        ++expected[DifferenceKind::kChanged];
      } else if (fault == 1) {
        ++expected[DifferenceKind::kMissing];
      } else {
        target.add(name, name, 100);
        if (fault == 2) ++expected[DifferenceKind::kExtra];
        if (fault == 3) {
          target.add(name, name, 100);
          ++expected[DifferenceKind::kDoubled];
        }
      }
    }
    std::map<DifferenceKind, size_t> found;
    for (const RowDifference& one : find_row_differences(source, target)) ++found[one.kind];
    EXPECT_EQ(found, expected);
  }
}

TEST(RowDifferences, ShowLongRowsShortenedBetweenCharacters) {
  KeyedRows source;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "aä";
  source.add("k", text, 1);
  const auto found = find_row_differences(source, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_LT(found[0].row.size(), 210U);
  EXPECT_THAT(found[0].row, testing::EndsWith("…"));
}

TEST(SideStatements, PutTheKeyFirstAndCompareByTextWhatHasNoPortableImage) {
  const Relation relation{.name = "public.film",
                          .columns = {{"title"}, {"part"}, {"special", false}, {"id"}},
                          .key = {"id", "part"}};
  EXPECT_EQ(digest_statement(relation, {}),
            "COPY (SELECT id, part, special::text, title FROM ONLY public.film) TO STDOUT (FORMAT "
            "binary)");
  EXPECT_THAT(rows_statement(relation, {.tenant_column = "tenant_id", .tenant = "x"}),
              HasSubstr("SELECT ROW(id, part)::text, id, part, special::text, title FROM ONLY "
                        "public.film WHERE tenant_id = 'x'::uuid"));
}

TEST(Verdict, TellsBrokenReferencesFromRowsThatDiffer) {
  Verdict verdict{.relations = {{.relation = "public.film", .is_equal = true}}};
  EXPECT_TRUE(verdict.is_equal());
  verdict.references = {{"k on public.film", 1}};
  EXPECT_FALSE(verdict.is_equal());
  EXPECT_TRUE(verdict.rows_are_equal());
  verdict.relations[0].is_equal = false;
  EXPECT_FALSE(verdict.rows_are_equal());
}

}  // namespace
}  // namespace partywall::migrate
