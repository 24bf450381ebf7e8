#include "sql/copy/copy_decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace partywall::sql {
namespace {

using Outcome = CopyDecoder::Outcome;

constexpr size_t kMaxRow = 1'000;

std::string shown(const CopyRow& row) {
  std::string text;
  for (const auto& value : row.values) text += value ? "[" + *value + "]" : "NULL";
  return fmt::format("{}:{} ", row.line, text);
}

// "line:values …", and at last the message of an error with its line.
std::string decoded(const CopyFormat& format, const std::vector<std::string>& columns,
                    std::string_view data, size_t split) {
  CopyDecoder decoder(format, columns, kMaxRow);
  std::string all;
  const auto failure = [&] {
    return fmt::format("{}!{}", decoder.line(), decoder.error().message);
  };
  while (!data.empty()) {
    std::string_view part = data.substr(0, split);
    data.remove_prefix(part.size());
    for (Outcome outcome = Outcome::kRow; outcome == Outcome::kRow;) {
      outcome = decoder.next(part);
      if (outcome == Outcome::kRow) all += shown(decoder.row());
      if (outcome == Outcome::kError) return all + failure();
    }
  }
  while (true) {
    switch (decoder.finish()) {
      case Outcome::kRow:
        all += shown(decoder.row());
        break;
      case Outcome::kError:
        return all + failure();
      default:
        return all;
    }
  }
}

// Whatever the pieces it comes in.
std::string decoded(const CopyFormat& format, std::string_view data,
                    const std::vector<std::string>& columns = {"a", "b"}) {
  const std::string whole = decoded(format, columns, data, SIZE_MAX);
  for (const size_t split : {1, 2, 3, 7}) EXPECT_EQ(decoded(format, columns, data, split), whole);
  return whole;
}

const CopyFormat kText;
const CopyFormat kCsv{.kind = CopyFormat::Kind::kCsv, .delimiter = ',', .null = ""};
const CopyFormat kBinary{.kind = CopyFormat::Kind::kBinary};

TEST(CopyDecoder, TextLines) {
  EXPECT_EQ(decoded(kText, "1\tx\n2\t\\N\n3\t\n"), "1:[1][x] 2:[2]NULL 3:[3][] ");
  EXPECT_EQ(decoded(kText, "1\tx\n2\ty"), "1:[1][x] 2:[2][y] ");
  EXPECT_EQ(decoded(kText, ""), "");
  EXPECT_EQ(decoded(kText, "1\tx\r\n2\ty\r\n"), "1:[1][x] 2:[2][y] ");
  EXPECT_EQ(decoded(kText, "1\tx\r2\ty\r"), "1:[1][x] 2:[2][y] ");
  EXPECT_EQ(decoded(kText, "\n", {"a"}), "1:[] ");
}

TEST(CopyDecoder, TextEscapes) {
  EXPECT_EQ(decoded(kText, "a\\tb\t\\\\N\n"), "1:[a\tb][\\N] ");
  EXPECT_EQ(decoded(kText, "\\x41\\x4g\t\\101\\1019\\7\n"), std::string("1:[A\4g][AA9\7] "));
  EXPECT_EQ(decoded(kText, "a\\\nb\tc\\\td\n"), "1:[a\nb][c\td] ");
  EXPECT_EQ(decoded(kText, "\\b\\f\\n\\r\\v\\q\\xz\tx\\"), "1:[\b\f\n\r\vqxz][x] ");
  EXPECT_EQ(decoded(kText, "\\Nx\t\\N\n"), "1:[Nx]NULL ");
}

TEST(CopyDecoder, TextErrors) {
  EXPECT_EQ(decoded(kText, "1\tx\n2\n"), "1:[1][x] 2!missing data for column \"b\"");
  EXPECT_EQ(decoded(kText, "1\t2\t3\n"), "1!extra data after last expected column");
  EXPECT_EQ(decoded(kText, "1\tx\n2\ty\r\n"), "1:[1][x] 2!literal carriage return found in data");
  EXPECT_EQ(decoded(kText, "1\tx\r\n2\ty\n"), "1:[1][x] 2!literal newline found in data");
  EXPECT_EQ(decoded(kText, "1\tx\r\n2\ty\rz\t\r\n"),
            "1:[1][x] 2!literal carriage return found in data");
  EXPECT_EQ(decoded(kText, "1\t" + std::string(2'000, 'x') + "\n"),
            "1!a line of the data is longer than 1000 bytes");
}

TEST(CopyDecoder, TextEndMarker) {
  EXPECT_EQ(decoded(kText, "1\tx\n\\.\n2\ty\n"), "1:[1][x] ");
  EXPECT_EQ(decoded(kText, "1\tx\\.\n2\ty\n"), "1:[1][x] ");
  EXPECT_EQ(decoded(kText, "1\tx\n\\.y\n"), "1:[1][x] 2!end-of-copy marker corrupt");
  EXPECT_EQ(decoded(kText, "1\tx\n\\."), "1:[1][x] 2!end-of-copy marker corrupt");
  EXPECT_EQ(decoded(kText, "1\tx\r\n\\.\r\nrest"), "1:[1][x] ");
  EXPECT_EQ(decoded(kText, "1\tx\r\n\\.\n"),
            "1:[1][x] 2!end-of-copy marker does not match previous newline style");
}

TEST(CopyDecoder, Csv) {
  EXPECT_EQ(decoded(kCsv, "1,x\n2,\n3,\"\"\n"), "1:[1][x] 2:[2]NULL 3:[3][] ");
  EXPECT_EQ(decoded(kCsv, "\"a,\"\"b\"\"\",c\n"), "1:[a,\"b\"][c] ");
  EXPECT_EQ(decoded(kCsv, "\"a\nb\",c\n1,2\n"), "1:[a\nb][c] 2:[1][2] ");
  EXPECT_EQ(decoded(kCsv, "1,2\n\"a\nb\",c\n1,2\n"), "1:[1][2] 3:[a\nb][c] 4:[1][2] ");
  EXPECT_EQ(decoded(kCsv, "x\"y\"z,\\.\n\\.,q\n\\.\nrest"), "1:[xyz][\\.] 2:[\\.][q] ");
  EXPECT_EQ(decoded(kCsv, "1,\"x\n"), "1!unterminated CSV quoted field");
  EXPECT_EQ(decoded(kCsv, "1,2,\"3"), "1!unterminated CSV quoted field");
  EXPECT_EQ(decoded(kCsv, "1,2,3\n"), "1!extra data after last expected column");
  EXPECT_EQ(decoded(kCsv, "1,2\r\n3,4\n"), "1:[1][2] 2!unquoted newline found in data");
  EXPECT_EQ(decoded(kCsv, "\n", {"a"}), "1:NULL ");
}

TEST(CopyDecoder, CsvOptions) {
  CopyFormat format = kCsv;
  format.has_header = true;
  format.escape = '\\';
  format.null = "nil";
  format.force_null = {"a"};
  format.force_not_null = {"b"};
  EXPECT_EQ(decoded(format, "a,b\n\"nil\",nil\n\"x\\\"\\\\\\y\",\"a\"\n"),
            "2:NULL[nil] 3:[x\"\\\\y][a] ");
  EXPECT_EQ(decoded(format, "only the header"), "");
}

std::string binary_head(uint32_t flags = 0, std::string_view extension = {}) {
  std::string out("PGCOPY\n\377\r\n\0", 11);
  for (const uint32_t number : {flags, static_cast<uint32_t>(extension.size())}) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
  }
  return out.append(extension);
}

std::string short_number(int16_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}
std::string long_number(int32_t number) {
  return short_number(static_cast<int16_t>(number >> 16)) +
         short_number(static_cast<int16_t>(number));
}

TEST(CopyDecoder, Binary) {
  const std::string row = short_number(2) + long_number(1) + "x" + long_number(-1);
  const std::string empty = short_number(2) + long_number(0) + long_number(2) + "yz";
  EXPECT_EQ(decoded(kBinary, binary_head() + row + empty + short_number(-1)),
            "1:[x]NULL 2:[][yz] ");
  EXPECT_EQ(decoded(kBinary, binary_head(1, "more") + row), "1:[x]NULL ");
  EXPECT_EQ(decoded(kBinary, binary_head() + short_number(-1) + "x"),
            "1!received copy data after EOF marker");
  EXPECT_EQ(decoded(kBinary, binary_head(1U << 16)), "0!invalid COPY file header (WITH OIDS)");
  EXPECT_EQ(decoded(kBinary, binary_head(1U << 20)),
            "0!unrecognized critical flags in COPY file header");
  EXPECT_EQ(decoded(kBinary, std::string(30, 'x')), "0!COPY file signature not recognized");
  EXPECT_EQ(decoded(kBinary, binary_head() + short_number(3)),
            "1!row field count is 3, expected 2");
  EXPECT_EQ(decoded(kBinary, binary_head() + short_number(2) + long_number(-2)),
            "1!invalid field size");
  EXPECT_EQ(decoded(kBinary, binary_head() + short_number(2) + long_number(1)),
            "1!unexpected EOF in COPY data");
  EXPECT_EQ(decoded(kBinary, binary_head() + short_number(2) + long_number(2'000'000'000)),
            "1!a row of the data is longer than 1000 bytes");
}

}  // namespace
}  // namespace partywall::sql
