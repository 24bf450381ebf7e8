#include "base/private_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temporary_directory.h"

namespace partywall {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

TEST(PrivateFile, IsPrivateWhateverTheUmaskAndReplacedWhole) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/secret";
  const mode_t before = ::umask(0);
  ASSERT_TRUE(write_private_file(path, "a long first content"));
  ASSERT_TRUE(write_private_file(path, "second"));
  ::umask(before);
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(*read_private_file(path), "second");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST(PrivateFile, AnotherModeIsNotInherited) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/secret";
  std::ofstream(path) << "old";
  std::ofstream(path + ".new") << "left by a crash";
  ::chmod(path.c_str(), 0644);
  ::chmod((path + ".new").c_str(), 0644);
  ASSERT_TRUE(write_private_file(path, "new"));
  EXPECT_EQ(mode_of(path), 0600U);
}

TEST(PrivateFile, FollowsNoLinkThatSomebodyHasLaid) {
  const TemporaryDirectory directory;
  const std::string victim = directory.path() + "/victim";
  std::ofstream(victim) << "untouched";
  std::filesystem::create_symlink(victim, directory.path() + "/secret");
  std::filesystem::create_symlink(victim, directory.path() + "/secret.new");
  ASSERT_TRUE(write_private_file(directory.path() + "/secret", "new"));
  EXPECT_EQ(*read_private_file(victim), "untouched");
}

TEST(PrivateFile, SaysWhatIsNotThere) {
  const TemporaryDirectory directory;
  const auto missing = read_private_file(directory.path() + "/none");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(missing.error().message.find("/none"), std::string::npos);
  EXPECT_FALSE(write_private_file(directory.path() + "/no/such/folder", ""));
}

TEST(PrivateFile, MakesPrivateDirectoriesWithTheirParents) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/a/b/c";
  ASSERT_TRUE(make_private_directory(path));
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_TRUE(make_private_directory(path)) << "there already";
  std::ofstream(directory.path() + "/file") << "";
  EXPECT_FALSE(make_private_directory(directory.path() + "/file/x"));
}

}  // namespace
}  // namespace partywall
