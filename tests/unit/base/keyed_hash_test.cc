#include "base/keyed_hash.h"

#include <string>

#include <gtest/gtest.h>

namespace partywall {
namespace {

// Key 00 01 … 0f, messages 00 01 … of growing length: vectors.h of the authors' implementation,
// https://github.com/veorq/SipHash (read as little-endian numbers).
TEST(KeyedHash, AgreesWithTheVectorsOfSipHash) {
  const KeyedHash hash({0x0706050403020100, 0x0f0e0d0c0b0a0908});
  std::string message;
  EXPECT_EQ(hash(message), 0x726fdb47dd0e0e31U);
  for (char c = 0; c < 8; ++c) message += c;
  EXPECT_EQ(hash(message), 0x93f5f5799a932462U);
  for (char c = 8; c < 15; ++c) message += c;
  EXPECT_EQ(hash(message), 0xa129ca6149be45e5U);
}

TEST(KeyedHash, DependsOnTheKey) {
  SeededRandom random(1);
  const KeyedHash one(random);
  const KeyedHash other(random);
  EXPECT_NE(one("text"), other("text"));
  EXPECT_EQ(one("text"), one("text"));
}

}  // namespace
}  // namespace partywall
