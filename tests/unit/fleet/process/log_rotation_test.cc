#include "fleet/process/log_rotation.h"

#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace partywall::fleet {
namespace {

void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

TEST(LogRotation, LeavesASmallFileAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("a.log");
  EXPECT_FALSE(rotate_log(path, {.max_bytes = 4, .keep = 2})) << "there is no file";
  append(path, "1234");
  EXPECT_FALSE(rotate_log(path, {.max_bytes = 4, .keep = 2}));
  EXPECT_EQ(read_file(path), "1234");
}

TEST(LogRotation, KeepsTheYoungest) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("a.log");
  for (const char* text : {"first", "second", "third"}) {
    append(path, text);
    EXPECT_TRUE(rotate_log(path, {.max_bytes = 4, .keep = 2}));
  }
  EXPECT_EQ(read_file(path), "");
  EXPECT_EQ(read_file(path + ".1"), "third");
  EXPECT_EQ(read_file(path + ".2"), "second");
  EXPECT_FALSE(std::filesystem::exists(path + ".3"));
}

TEST(LogRotation, AWriterThatAppendsGoesOnAtTheFront) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("a.log");
  std::ofstream writer(path, std::ios::app);
  writer << "before" << std::flush;
  ASSERT_TRUE(rotate_log(path, {.max_bytes = 4, .keep = 1}));
  writer << "after" << std::flush;
  EXPECT_EQ(read_file(path), "after");
}

}  // namespace
}  // namespace partywall::fleet
