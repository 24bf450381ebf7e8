#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "store/example_platform.h"

// docs/reference/platform-file.md holds, between two marks, the tables of all keys. They are
// written from the code; after a change that is meant: PARTYWALL_UPDATE_GOLDEN=1 unit_store.
namespace partywall::store {
namespace {

constexpr std::string_view kDocument = "docs/reference/platform-file.md";
constexpr std::string_view kBegin =
    "<!-- keys: written by the unit test store.Reference, do not edit -->\n";
constexpr std::string_view kEnd = "<!-- end of keys -->\n";

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", cell(text));
}

// The rows of one key at the top of the file, below a heading of their own.
std::string tables() {
  std::string out;
  for (const KeyDescription& key : describe_platform_file()) {
    const bool is_top = key.path.find_first_of(".[") == key.path.npos;
    const std::string start = key.required ? "**required**" : code(key.default_text);
    const std::string row = fmt::format("| {} | {} | {} | {} | {} |\n", code(key.path),
                                        cell(key.kind), start, cell(key.bounds), cell(key.help));
    if (is_top) {
      out += fmt::format(
          "{}### {}\n\n| key | kind | default | bounds | meaning |\n|---|---|---|---|---|\n",
          out.empty() ? "" : "\n", key.path);
    }
    out += row;
  }
  return out;
}

TEST(Reference, HasEveryKeyAsTheCodeReadsIt) {
  std::string document = read_source_file(kDocument);
  const size_t begin = document.find(kBegin);
  const size_t end = document.find(kEnd);
  ASSERT_NE(begin, document.npos);
  ASSERT_NE(end, document.npos);
  const size_t first = begin + kBegin.size();
  const std::string expected = "\n" + tables() + "\n";
  if (std::getenv("PARTYWALL_UPDATE_GOLDEN")) {
    document.replace(first, end - first, expected);
    std::ofstream(fmt::format("{}/{}", PARTYWALL_SOURCE_DIR, kDocument)) << document;
  } else {
    EXPECT_EQ(document.substr(first, end - first), expected);
  }
}

// Help that is missing, or a key that is described twice, would make the reference useless.
TEST(Reference, DescribesEachKeyOnceWithHelp) {
  std::map<std::string, int> seen;
  for (const KeyDescription& key : describe_platform_file()) {
    EXPECT_GE(key.help.size(), 6u) << key.path;
    EXPECT_EQ(++seen[key.path], 1) << key.path;
  }
  EXPECT_GT(seen.size(), 120u);
}

}  // namespace
}  // namespace partywall::store
