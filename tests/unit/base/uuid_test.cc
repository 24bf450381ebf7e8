#include "base/uuid.h"

#include <unordered_set>

#include <gtest/gtest.h>

#include "base/random.h"

namespace partywall {
namespace {

constexpr std::string_view kText = "0123abcd-4567-89ef-fedc-ba9876543210";

TEST(Uuid, TextGoesBothWays) {
  EXPECT_EQ(Uuid::parse(kText).value().to_string(), kText);
  EXPECT_EQ(Uuid::parse("0123ABCD-4567-89EF-FEDC-BA9876543210").value().to_string(), kText);
}

TEST(Uuid, OnlyTheCanonicalFormIsAccepted) {
  for (const std::string& text : std::initializer_list<std::string>{
           "", "0123abcd456789effedcba9876543210", "{0123abcd-4567-89ef-fedc-ba9876543210}",
           std::string(kText) + "0", std::string(kText).substr(1),
           " 123abcd-4567-89ef-fedc-ba9876543210", "0123abcd-4567-89ef-fedc-ba987654321g",
           "0123abcd-4567-89ef-fedcb-a9876543210", "0123abcd-4567-89ef-fedc_ba9876543210",
           "urn:uuid:0123abcd-4567-89ef-"}) {
    EXPECT_FALSE(Uuid::parse(text).has_value()) << text;
  }
}

TEST(Uuid, HalvesAreInNetworkOrder) {
  const Uuid uuid = Uuid::parse(kText).value();
  EXPECT_EQ(uuid.high(), 0x0123abcd456789efU);
  EXPECT_EQ(uuid.low(), 0xfedcba9876543210U);
  EXPECT_EQ(Uuid::from_halves(uuid.high(), uuid.low()), uuid);
  EXPECT_EQ(uuid.bytes()[0], 0x01);
  EXPECT_EQ(uuid.bytes()[15], 0x10);
}

TEST(Uuid, NilAndOrder) {
  EXPECT_TRUE(Uuid().is_nil());
  EXPECT_FALSE(Uuid::parse(kText)->is_nil());
  EXPECT_LT(Uuid(), *Uuid::parse(kText));
}

TEST(Uuid, RandomOnesAreVersion4AndDistinct) {
  SystemRandom random;
  std::unordered_set<Uuid> seen;
  for (int i = 0; i < 1'000; ++i) {
    const Uuid uuid = Uuid::random(random);
    EXPECT_EQ(uuid.bytes()[6] >> 4, 4);
    EXPECT_EQ(uuid.bytes()[8] >> 6, 2);
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

}  // namespace
}  // namespace partywall
