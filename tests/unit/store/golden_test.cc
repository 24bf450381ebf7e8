#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "store/example_platform.h"

// golden/NAME.yaml is a platform file with mistakes, golden/NAME.txt what is said about it. After a
// change that is meant: PARTYWALL_UPDATE_GOLDEN=1 unit_store, then read the diff.
namespace partywall::store {
namespace {

constexpr std::string_view kFolder = "tests/unit/store/golden";

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("{}/{}", PARTYWALL_SOURCE_DIR, kFolder))) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, SaysWhatIsWrong) {
  const std::string expected = fmt::format("{}/{}.txt", kFolder, GetParam());
  std::string found;
  for (const std::string& line :
       problems_of(read_source_file(fmt::format("{}/{}.yaml", kFolder, GetParam())))) {
    found += line + "\n";
  }
  EXPECT_NE(found, "");
  if (std::getenv("PARTYWALL_UPDATE_GOLDEN")) {
    std::ofstream(fmt::format("{}/{}", PARTYWALL_SOURCE_DIR, expected)) << found;
  }
  EXPECT_EQ(found, read_source_file(expected));
}

INSTANTIATE_TEST_SUITE_P(PlatformFile, Golden, testing::ValuesIn(golden_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace partywall::store
