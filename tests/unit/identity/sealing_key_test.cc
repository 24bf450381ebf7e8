#include "identity/sealing_key.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

SealingKey key(char byte) { return SealingKey::create(Secret(std::string(32, byte))).value(); }

class SealingKeyTest : public testing::Test {
 protected:
  SeededRandom random_{7};
  SealingKey key_ = key('k');
};

TEST_F(SealingKeyTest, OpensWhatItSealed) {
  for (const size_t size : {0, 1, 15, 16, 17, 1'000, 100'000}) {
    const std::string plain(size, 'p');
    EXPECT_EQ(key_.open("cell main", key_.seal("cell main", plain, random_))->reveal(), plain);
  }
}

TEST_F(SealingKeyTest, TheSameTextNeverLooksTheSame) {
  EXPECT_NE(key_.seal("a", "text", random_), key_.seal("a", "text", random_));
}

TEST_F(SealingKeyTest, AnotherKeyOrPurposeDoesNotOpenIt) {
  const std::string sealed = key_.seal("context key 1", "secret", random_);
  EXPECT_EQ(key('x').open("context key 1", sealed).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(key_.open("context key 2", sealed).error().kind, ErrorKind::kDenied);
}

TEST_F(SealingKeyTest, EveryChangedBitAndEveryCutIsFound) {
  const std::string sealed = key_.seal("p", "secret", random_);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(key_.open("p", changed)) << bit;
  }
  for (size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(key_.open("p", std::string_view(sealed).substr(0, size))) << size;
  EXPECT_FALSE(key_.open("p", sealed + "x"));
}

TEST_F(SealingKeyTest, AKeyHas32Bytes) {
  EXPECT_FALSE(SealingKey::create(Secret("short")));
  EXPECT_FALSE(SealingKey::create(Secret(std::string(33, 'k'))));
}

}  // namespace
}  // namespace partywall
