#include "base/private_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace partywall {
namespace {

class PrivateFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "partywall-test-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static unsigned mode_of(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
  }

  std::string directory_;
};

TEST_F(PrivateFileTest, IsPrivateWhateverTheUmaskAndReplacedWhole) {
  const std::string path = directory_ + "/secret";
  const mode_t before = ::umask(0);
  ASSERT_TRUE(write_private_file(path, "a long first content"));
  ASSERT_TRUE(write_private_file(path, "second"));
  ::umask(before);
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(*read_private_file(path), "second");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(PrivateFileTest, AnotherModeIsNotInherited) {
  const std::string path = directory_ + "/secret";
  std::ofstream(path) << "old";
  std::ofstream(path + ".new") << "left by a crash";
  ::chmod(path.c_str(), 0644);
  ::chmod((path + ".new").c_str(), 0644);
  ASSERT_TRUE(write_private_file(path, "new"));
  EXPECT_EQ(mode_of(path), 0600U);
}

TEST_F(PrivateFileTest, FollowsNoLinkThatSomebodyHasLaid) {
  const std::string victim = directory_ + "/victim";
  std::ofstream(victim) << "untouched";
  std::filesystem::create_symlink(victim, directory_ + "/secret");
  std::filesystem::create_symlink(victim, directory_ + "/secret.new");
  ASSERT_TRUE(write_private_file(directory_ + "/secret", "new"));
  EXPECT_EQ(*read_private_file(victim), "untouched");
}

TEST_F(PrivateFileTest, SaysWhatIsNotThere) {
  const auto missing = read_private_file(directory_ + "/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(missing.error().message.find("/none"), std::string::npos);
  EXPECT_FALSE(write_private_file(directory_ + "/no/such/folder", ""));
}

TEST_F(PrivateFileTest, MakesPrivateDirectoriesWithTheirParents) {
  const std::string path = directory_ + "/a/b/c";
  ASSERT_TRUE(make_private_directory(path));
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_TRUE(make_private_directory(path)) << "there already";
  std::ofstream(directory_ + "/file") << "";
  EXPECT_FALSE(make_private_directory(directory_ + "/file/x"));
}

}  // namespace
}  // namespace partywall
