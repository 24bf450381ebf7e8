#include "store/file_loader.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace partywall::store {
namespace {

class DiskFileLoaderTest : public testing::Test {
 protected:
  DiskFileLoaderTest() {
    std::string name = testing::TempDir() + "partywall-files-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~DiskFileLoaderTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, std::string_view content, mode_t mode) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
    ASSERT_EQ(::chmod((folder_ + "/" + name).c_str(), mode), 0);
  }

  std::string folder_;
};

TEST_F(DiskFileLoaderTest, ReadsRelativeToItsFolderAndSaysWhoElseMay) {
  DiskFileLoader files(folder_);
  write("private", "content\n", 0600);
  write("group", "x", 0640);
  write("world", "x", 0604);
  write("shared", "x", 0660);
  const auto loaded = files.load("private");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->content, "content\n");
  EXPECT_FALSE(loaded->readable_by_others);
  EXPECT_FALSE(loaded->writable_by_others);
  EXPECT_FALSE(files.load("group")->readable_by_others);
  EXPECT_TRUE(files.load("world")->readable_by_others);
  EXPECT_TRUE(files.load("shared")->writable_by_others);
  EXPECT_TRUE(files.load(folder_ + "/private"));
}

TEST_F(DiskFileLoaderTest, RefusesWhatIsNoRegularFile) {
  DiskFileLoader files(folder_);
  EXPECT_EQ(files.load("absent").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(files.load(".").error().kind, ErrorKind::kInvalid);
  ASSERT_EQ(::mkfifo((folder_ + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(files.load("fifo").error().kind, ErrorKind::kInvalid);  // at once, without a writer
  EXPECT_EQ(files.load("/dev/zero").error().kind, ErrorKind::kInvalid);
}

TEST_F(DiskFileLoaderTest, BoundsTheSize) {
  DiskFileLoader files(folder_);
  write("most", std::string(16 << 20, 'x'), 0600);
  write("too-much", std::string((16 << 20) + 1, 'x'), 0600);
  EXPECT_TRUE(files.load("most"));
  EXPECT_EQ(files.load("too-much").error().kind, ErrorKind::kLimit);
}

TEST(DiskFileLoader, BesideAFileMeansItsFolder) {
  EXPECT_EQ(DiskFileLoader::beside("a/b/platform.yaml").resolve("x"), "a/b/x");
  EXPECT_EQ(DiskFileLoader::beside("platform.yaml").resolve("x"), "x");
  EXPECT_EQ(DiskFileLoader::beside("/platform.yaml").resolve("x"), "//x");
  EXPECT_EQ(DiskFileLoader::beside("a/platform.yaml").resolve("/etc/x"), "/etc/x");
  EXPECT_EQ(file_name_of("a/b/platform.yaml"), "platform.yaml");
  EXPECT_EQ(file_name_of("platform.yaml"), "platform.yaml");
}

}  // namespace
}  // namespace partywall::store
