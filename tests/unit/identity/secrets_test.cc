#include "identity/secrets.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(AccessSecret, MatchesOnlyItself) {
  SystemRandom random;
  const Secret secret = make_access_secret(random);
  EXPECT_EQ(secret.reveal().size(), kAccessSecretLength);
  const Sha256Digest stored = hash_access_secret(secret);
  EXPECT_TRUE(access_secret_matches(secret.reveal(), stored));
  EXPECT_FALSE(access_secret_matches("", stored));
  EXPECT_FALSE(access_secret_matches(secret.reveal().substr(1), stored));
  EXPECT_FALSE(access_secret_matches(as_bytes(stored), stored));  // the stored form opens nothing
  EXPECT_FALSE(access_secret_matches(make_access_secret(random).reveal(), stored));
}

TEST(AccessSecret, AnAbsentHashIsNotTheHashOfAnything) {
  EXPECT_FALSE(access_secret_matches("", Sha256Digest{}));
}

}  // namespace
}  // namespace partywall
