#include "sql/copy/copy_statement.h"

#include <gtest/gtest.h>

namespace partywall::sql {
namespace {

using Kind = CopyFormat::Kind;
using Names = std::vector<std::string>;

CopyFrom parsed(std::string_view text) {
  const auto copy = parse_copy_from(text);
  EXPECT_TRUE(copy) << text;
  return copy.value_or(CopyFrom{});
}

TEST(CopyStatement, TableAndColumns) {
  const CopyFrom copy = parsed("/* x */ COPY Public.\"No\"\"tes\" (id, \"Body\") FROM stdin;;");
  EXPECT_EQ(copy.table, "\"public\".\"No\"\"tes\"");
  EXPECT_EQ(copy.name, "No\"tes");
  EXPECT_EQ(copy.columns, (Names{"id", "Body"}));
  EXPECT_EQ(copy.format.kind, Kind::kText);
  EXPECT_EQ(copy.format.delimiter, '\t');
  EXPECT_EQ(copy.format.null, "\\N");
}

TEST(CopyStatement, Options) {
  const CopyFrom copy = parsed(
      "copy notes from stdin with (format csv, header, delimiter ';', null 'nil', quote '''', "
      "escape E'\\\\', force_not_null (a), force_null (b, c))");
  EXPECT_EQ(copy.format.kind, Kind::kCsv);
  EXPECT_TRUE(copy.format.has_header);
  EXPECT_EQ(copy.format.delimiter, ';');
  EXPECT_EQ(copy.format.null, "nil");
  EXPECT_EQ(copy.format.quote, '\'');
  EXPECT_EQ(copy.format.escape, '\\');
  EXPECT_EQ(copy.format.force_not_null, Names{"a"});
  EXPECT_EQ(copy.format.force_null, (Names{"b", "c"}));
}

TEST(CopyStatement, DefaultsOfCsv) {
  const CopyFrom copy = parsed("COPY t FROM STDIN (FORMAT 'csv', HEADER off)");
  EXPECT_EQ(copy.format.delimiter, ',');
  EXPECT_EQ(copy.format.null, "");
  EXPECT_EQ(copy.format.escape, '"');
  EXPECT_FALSE(copy.format.has_header);
  EXPECT_EQ(parsed("COPY t FROM STDIN (FORMAT csv, QUOTE '$')").format.escape, '$');
  EXPECT_EQ(parsed("COPY t FROM STDIN (FORMAT binary)").format.kind, Kind::kBinary);
}

// What psycopg2 and old scripts send.
TEST(CopyStatement, OldSyntax) {
  const CopyFrom copy = parsed("COPY t (a) FROM stdin WITH DELIMITER AS E'\\t' NULL AS  E'\\\\N'");
  EXPECT_EQ(copy.format.delimiter, '\t');
  EXPECT_EQ(copy.format.null, "\\N");
  const CopyFrom csv =
      parsed("COPY t FROM STDIN CSV HEADER QUOTE '''' FORCE NOT NULL a, b DELIMITER '|'");
  EXPECT_EQ(csv.format.kind, Kind::kCsv);
  EXPECT_TRUE(csv.format.has_header);
  EXPECT_EQ(csv.format.force_not_null, (Names{"a", "b"}));
  EXPECT_EQ(csv.format.delimiter, '|');
  EXPECT_EQ(parsed("COPY t FROM STDIN USING DELIMITERS '|' WITH NULL 'x'").format.delimiter, '|');
  EXPECT_EQ(parsed("COPY t FROM STDIN BINARY").format.kind, Kind::kBinary);
}

// They are passed on: PostgreSQL does what they say, or refuses them.
TEST(CopyStatement, WhatIsNotUnderstood) {
  for (const char* text : {"SELECT 1",
                           "COPY t TO STDOUT",
                           "COPY (SELECT 1) FROM STDIN",
                           "COPY t FROM '/tmp/x'",
                           "COPY t FROM PROGRAM 'id'",
                           "COPY t FROM STDIN WHERE a > 1",
                           "COPY a.b.c FROM STDIN",
                           "COPY t FROM STDIN (FREEZE)",
                           "COPY t FROM STDIN (ENCODING 'LATIN1')",
                           "COPY t FROM STDIN (FORMAT csv, HEADER match)",
                           "COPY t FROM STDIN (FORMAT xml)",
                           "COPY t FROM STDIN (DELIMITER '||')",
                           "COPY t FROM STDIN (DELIMITER 'a')",
                           "COPY t FROM STDIN (DELIMITER E'\\n')",
                           "COPY t FROM STDIN (NULL E'\\n')",
                           "COPY t FROM STDIN (QUOTE 'x')",
                           "COPY t FROM STDIN (FORMAT csv, QUOTE ',')",
                           "COPY t FROM STDIN (FORMAT csv, NULL '\"')",
                           "COPY t FROM STDIN (NULL '\t')",
                           "COPY t FROM STDIN (FORMAT csv, FORMAT csv)",
                           "COPY t FROM STDIN (FORMAT binary, HEADER)",
                           "COPY t FROM STDIN; SELECT 1",
                           "COPY t FROM STDIN (FORMAT csv",
                           "COPY t FROM STDIN x",
                           "COPY t () FROM STDIN",
                           "COPY t (a,) FROM STDIN",
                           "COPY U&\"t\" FROM STDIN",
                           "COPY t FROM STDIN (DELIMITER E'\\u0041')",
                           "COPY t FROM STDIN (DELIMITER E'\\000')"}) {
    EXPECT_FALSE(parse_copy_from(text)) << text;
  }
}

}  // namespace
}  // namespace partywall::sql
