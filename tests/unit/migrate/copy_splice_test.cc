#include "migrate/copy/copy_splice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/copy_stream.h"

namespace partywall::migrate {
namespace {

using testing::HasSubstr;

const Uuid kSplicedTenant = *Uuid::parse("aaaaaaaa-0000-4000-8000-000000000001");

std::string tenant_field() {
  return {reinterpret_cast<const char*>(kSplicedTenant.bytes().data()),
          kSplicedTenant.bytes().size()};
}

struct Spliced {
  std::string out;
  RowSum sum;
};

// In pieces of `piece` bytes.
template <class Splice>
Result<Spliced> spliced(const SpliceSettings& settings, std::string_view stream,
                        size_t piece = SIZE_MAX) {
  Splice splice(settings);
  Spliced result;
  while (!stream.empty()) {
    const std::string_view part = stream.substr(0, piece);
    stream.remove_prefix(part.size());
    if (auto fed = splice.feed(part, result.out); !fed) return std::unexpected(fed.error());
  }
  if (auto ended = splice.finish(); !ended) return std::unexpected(ended.error());
  result.sum = splice.sum();
  return result;
}

Result<Spliced> binary(std::string_view stream, uint16_t columns, size_t piece = SIZE_MAX) {
  return spliced<BinarySplice>({.tenant = kSplicedTenant, .columns = columns}, stream, piece);
}

Result<Spliced> text(std::string_view stream, uint16_t columns, size_t piece = SIZE_MAX) {
  return spliced<TextSplice>({.tenant = kSplicedTenant, .columns = columns}, stream, piece);
}

const std::vector<Fields> kRows{
    {"1", "abc"}, {std::nullopt, ""}, {std::string(3, '\0'), std::nullopt}};

TEST(BinarySplice, PutsTheTenantInFrontOfEveryRow) {
  std::vector<Fields> expected = kRows;
  for (Fields& row : expected) row.insert(row.begin(), tenant_field());
  const auto result = binary(binary_stream(kRows), 2);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, binary_stream(expected));
  EXPECT_EQ(result->sum.rows, 3);
}

TEST(BinarySplice, GivesTheSameForEveryWayOfCuttingTheStream) {
  const std::string stream = binary_stream(kRows);
  const auto whole = binary(stream, 2);
  ASSERT_TRUE(whole);
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    const auto cut = binary(stream, 2, piece);
    ASSERT_TRUE(cut) << piece;
    EXPECT_EQ(cut->out, whole->out) << piece;
    EXPECT_EQ(cut->sum, whole->sum) << piece;
  }
}

TEST(BinarySplice, WithoutATenantChangesNothing) {
  const auto result =
      spliced<BinarySplice>({.tenant = std::nullopt, .columns = 2}, binary_stream(kRows));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, binary_stream(kRows));
}

TEST(BinarySplice, TakesATableWithoutColumns) {
  const auto result = binary(binary_stream({{}, {}}), 0);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, binary_stream({{tenant_field()}, {tenant_field()}}));
}

TEST(BinarySplice, EveryBeginningOfAStreamIsIncomplete) {
  const std::string stream = binary_stream(kRows);
  for (size_t length = 0; length < stream.size(); ++length)
    EXPECT_FALSE(binary(std::string_view(stream).substr(0, length), 2)) << length;
}

TEST(BinarySplice, RefusesWhatPostgresDoesNotWrite) {
  const std::string rows = binary_row(kRows[0]);
  std::string flags = binary_header();
  flags[14] = 1;
  std::string extension = binary_header();
  extension[18] = 4;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"PGCOPY\n\377\n\n" + rows, "does not begin"},
      {flags + rows + binary_trailer(), "does not begin"},
      {extension + "abcd" + rows + binary_trailer(), "does not begin"},
      {binary_header() + binary_row({"1"}) + binary_trailer(), "1 fields instead of 2"},
      {binary_header() + binary_row({"1", "2", "3"}) + binary_trailer(), "3 fields instead of 2"},
      {binary_header() + big_endian(0xfffe, 2), "65534 fields instead of 2"},
      {binary_header() + big_endian(2, 2) + "\377\377\377\376", "longer than"},
      {binary_header() + big_endian(2, 2) + big_endian(0x7fffffff, 4), "longer than"},
      {binary_header() + rows + binary_trailer() + rows, "after the end"},
      {binary_header() + rows + binary_trailer() + binary_trailer(), "after the end"},
  };
  for (const auto& [stream, message] : cases) {
    const auto result = binary(stream, 2);
    ASSERT_FALSE(result) << message;
    EXPECT_THAT(result.error().message, HasSubstr(message));
  }
}

// The source is a customer's: a second id in front of its rows is a field too many, never a tenant.
TEST(BinarySplice, ASourceCannotNameAnotherTenant) {
  const std::string foreign(16, '\xbb');
  EXPECT_FALSE(binary(binary_stream({{foreign, "1", "abc"}}), 2));
  const auto result = binary(binary_stream({{foreign, "abc"}}), 2);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, binary_stream({{tenant_field(), foreign, "abc"}}));
}

TEST(BinarySplice, RefusesALongRowBeforeItHasIt) {
  BinarySplice splice({.tenant = kSplicedTenant, .columns = 1, .max_row_bytes = 100});
  std::string out;
  ASSERT_TRUE(splice.feed(binary_header() + big_endian(1, 2) + big_endian(94, 4), out));
  ASSERT_TRUE(splice.feed(std::string(94, 'x'), out));
  const auto longer = splice.feed(big_endian(1, 2) + big_endian(95, 4), out);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::kLimit);
}

TEST(BinarySplice, TheSumDependsOnTheRowsAndNotOnTheirOrder) {
  const auto first = binary(binary_stream({kRows[0], kRows[1]}), 2);
  const auto second = binary(binary_stream({kRows[1], kRows[0]}), 2);
  const auto other = binary(binary_stream({kRows[0], kRows[2]}), 2);
  ASSERT_TRUE(first && second && other);
  EXPECT_EQ(first->sum, second->sum);
  EXPECT_NE(first->sum, other->sum);
}

TEST(TextSplice, PutsTheTenantInFrontOfEveryLineHoweverItIsCut) {
  const std::string stream = "1\tone\\nline\n\\N\t\n";
  const std::string id = kSplicedTenant.to_string();
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    const auto result = text(stream, 2, piece);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->out, id + "\t1\tone\\nline\n" + id + "\t\\N\t\n");
    EXPECT_EQ(result->sum.rows, 2);
  }
}

TEST(TextSplice, TakesATableWithoutColumns) {
  const auto result = text("\n\n", 0);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, kSplicedTenant.to_string() + "\n" + kSplicedTenant.to_string() + "\n");
}

TEST(TextSplice, RefusesOtherFieldsEndsAndMarkers) {
  EXPECT_FALSE(text("1\n", 2));
  EXPECT_FALSE(text("1\t2\t3\n", 2));
  EXPECT_FALSE(text("1\t2", 2));
  EXPECT_FALSE(text("\\.\n", 1));
  EXPECT_FALSE(text("a\n", 0));
  EXPECT_FALSE(
      spliced<TextSplice>({.tenant = kSplicedTenant, .columns = 1, .max_row_bytes = 3}, "abcd\n"));
  EXPECT_FALSE(spliced<TextSplice>({.tenant = kSplicedTenant, .columns = 1, .max_row_bytes = 3},
                                   "abcd\n", 1));
}

TEST(TextSplice, TakesEveryEscapeThatPostgresqlSends) {
  const auto result = text("\\b\\f\\n\\r\\t\\v\t\\\\\n\\N\tü\n", 2);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->sum.rows, 2);
}

// What would make rows or fields end elsewhere in the target than here, wherever it is cut.
TEST(TextSplice, RefusesWhatMovesTheEndsOfRows) {
  for (const std::string_view stream : {"a\rb\n", "a\r\n", "\r\n", "a\\\n", "a\\\\\\\n", "a\\\t\n",
                                        "a\\.\n", "a\\x41\n", "a\\101\n"}) {
    for (const size_t piece : {size_t{1}, SIZE_MAX}) {
      const auto result = text(stream, stream.contains('\t') ? 2 : 1, piece);
      ASSERT_FALSE(result) << stream;
      EXPECT_THAT(result.error().message, HasSubstr("row 1 of the COPY stream has a carriage"));
    }
  }
}

}  // namespace
}  // namespace partywall::migrate
