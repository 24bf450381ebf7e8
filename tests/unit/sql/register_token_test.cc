#include "sql/register_token.h"

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "base/hex.h"

namespace partywall::sql {
namespace {

const Secret kKey(std::string(kRegisterKeyLength, 'k'));
const RegisterTokenClaims kClaims{
    .tenant = TenantId(Uuid::parse("11112222-3333-4444-5555-666677778888").value()),
    .expires_at = WallTime(milliseconds(1'700'000'000'999)),
    .backend_pid = 0x01020304,
};

TEST(RegisterToken, HasTheLayoutThatTheRegisterReads) {
  const std::string token = make_register_token(kClaims, 7, kKey);
  ASSERT_EQ(token.size(), kRegisterTokenLength);
  // key id, tenant, 1700000000, pid
  EXPECT_EQ(to_hex(token.substr(0, 32)),
            "00000007"
            "11112222333344445555666677778888"
            "000000006553f100"
            "01020304");
  EXPECT_EQ(token.substr(32), as_bytes(hmac_sha256(kKey.reveal(), token.substr(0, 32))));
}

TEST(RegisterToken, DependsOnEveryClaimAndOnTheKey) {
  const std::string token = make_register_token(kClaims, 7, kKey);
  const auto mac_differs = [&](const std::string& other) {
    return other.substr(32) != token.substr(32);
  };
  RegisterTokenClaims claims = kClaims;
  claims.backend_pid += 1;
  EXPECT_TRUE(mac_differs(make_register_token(claims, 7, kKey)));
  claims = kClaims;
  claims.expires_at += seconds(1);
  EXPECT_TRUE(mac_differs(make_register_token(claims, 7, kKey)));
  claims = kClaims;
  claims.tenant = TenantId(Uuid::parse("11112222-3333-4444-5555-666677778889").value());
  EXPECT_TRUE(mac_differs(make_register_token(claims, 7, kKey)));
  EXPECT_TRUE(mac_differs(make_register_token(kClaims, 8, kKey)));
  EXPECT_TRUE(
      mac_differs(make_register_token(kClaims, 7, Secret(std::string(kRegisterKeyLength, 'l')))));
}

}  // namespace
}  // namespace partywall::sql
