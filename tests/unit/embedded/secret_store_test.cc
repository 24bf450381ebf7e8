#include "embedded/secret_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temporary_directory.h"

namespace partywall::embedded {
namespace {

TEST(SecretStore, MakesASecretOnceAndKeepsIt) {
  const TemporaryDirectory directory;
  SystemRandom random;
  Secret first;
  {
    SecretStore store(directory.file("secrets"), random);
    first = *store.password("a");
    EXPECT_EQ(first.reveal().size(), 32U);
    EXPECT_NE(first.reveal(), store.password("b")->reveal());
  }
  SecretStore later(directory.file("secrets"), random);
  EXPECT_EQ(later.password("a")->reveal(), first.reveal());
}

TEST(SecretStore, KeysAreBytesAndDigitsInTheFile) {
  const TemporaryDirectory directory;
  SystemRandom random;
  SecretStore store(directory.file("secrets"), random);
  const Secret key = *store.key("k", 64);
  EXPECT_EQ(key.reveal().size(), 64U);
  EXPECT_EQ(read_file(store.path("k")).size(), 129U);
  EXPECT_EQ(store.key("k", 64)->reveal(), key.reveal());
}

TEST(SecretStore, OnlyTheOwnerMayRead) {
  const TemporaryDirectory directory;
  SystemRandom random;
  SecretStore store(directory.file("secrets"), random);
  ASSERT_TRUE(store.password("a"));
  struct stat status{};
  ASSERT_EQ(::stat(store.path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(directory.file("secrets").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(SecretStore, ADamagedSecretIsNotReplaced) {
  const TemporaryDirectory directory;
  SystemRandom random;
  SecretStore store(directory.file("secrets"), random);
  ASSERT_TRUE(store.key("k", 32));
  std::ofstream(store.path("k")) << "cut off";
  EXPECT_FALSE(store.key("k", 32));
  std::ofstream(store.path("k")) << std::string(64, 'x');
  EXPECT_FALSE(store.key("k", 32));
  EXPECT_EQ(read_file(store.path("k")), std::string(64, 'x')) << "whoever restores it must find it";
}

}  // namespace
}  // namespace partywall::embedded
