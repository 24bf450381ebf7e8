#include "embedded/data_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_directory.h"

namespace partywall::embedded {
namespace {

EngineUser ourselves() { return {.uid = ::geteuid(), .gid = ::getegid()}; }

TEST(DataDirectory, ASecondStackIsRefusedAndToldWhoHasIt) {
  const TemporaryDirectory parent;
  SystemRandom random;
  const auto first = DataDirectory::open(parent.file("data"), ourselves(), random);
  ASSERT_TRUE(first) << first.error().message;
  const auto second = DataDirectory::open(parent.file("data"), ourselves(), random);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kLimit);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos)
      << second.error().message;
  EXPECT_TRUE(DataDirectory::open(parent.file("another"), ourselves(), random));
}

TEST(DataDirectory, TheLockEndsWithItsHolder) {
  const TemporaryDirectory parent;
  SystemRandom random;
  {
    ASSERT_TRUE(DataDirectory::open(parent.file("data"), ourselves(), random));
  }
  EXPECT_TRUE(DataDirectory::open(parent.file("data"), ourselves(), random));
}

TEST(DataDirectory, IsAbsoluteAndClosedToOthers) {
  const TemporaryDirectory parent;
  SystemRandom random;
  const auto directory = DataDirectory::open(parent.path() + "/./x/../data", ourselves(), random);
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_EQ(directory->path(), std::filesystem::canonical(parent.path()).string() + "/data");
  struct stat status{};
  ASSERT_EQ(::stat(directory->path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  const auto engine = directory->make_engine_folder("postgresql", ourselves());
  ASSERT_TRUE(engine);
  EXPECT_TRUE(engine->starts_with(directory->path()));
  EXPECT_FALSE(directory->engines_are_elsewhere());
}

}  // namespace
}  // namespace partywall::embedded
