#include "identity/context_token.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/random.h"

namespace partywall {
namespace {

constexpr WallTime kNow{seconds(1'700'000'000)};

ContextKey key(uint8_t id, char fill) { return {.id = id, .key = Secret(std::string(32, fill))}; }

Context sample(Audience audience = Audience::kAny) {
  SeededRandom random(1);
  return {.tenant = TenantId(Uuid::random(random)),
          .audience = audience,
          .issued_at = kNow,
          .expires_at = kNow + seconds(60),
          .request_id = Uuid::random(random)};
}

std::string minted(const Context& context, const std::vector<ContextKey>& keys) {
  auto token = mint_context(context, keys);
  EXPECT_TRUE(token.has_value()) << token.error().message;
  return token.value_or("");
}

ErrorKind refusal(std::string_view token, const std::vector<ContextKey>& keys,
                  Audience wanted = Audience::kSql, WallTime now = kNow) {
  const auto context = verify_context(token, keys, wanted, now);
  EXPECT_FALSE(context.has_value());
  if (context) return ErrorKind::kInternal;
  EXPECT_FALSE(context.error().message.empty());
  return context.error().kind;
}

TEST(ContextToken, GivesBackWhatWasMinted) {
  const std::vector keys = {key(1, 'a')};
  const Context context = sample(Audience::kSql);
  const std::string token = minted(context, keys);
  EXPECT_LE(token.size(), kMaxContextTokenLength);
  EXPECT_TRUE(token.starts_with("pw1."));
  const auto read = verify_context(token, keys, Audience::kSql, kNow);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->tenant, context.tenant);
  EXPECT_EQ(read->audience, Audience::kSql);
  EXPECT_EQ(read->issued_at, context.issued_at);
  EXPECT_EQ(read->expires_at, context.expires_at);
  EXPECT_EQ(read->request_id, context.request_id);
}

// The layout is a contract with other versions and with docs/context-token.md.
TEST(ContextToken, LayoutIsPinned) {
  std::array<uint8_t, 16> tenant{};
  std::array<uint8_t, 16> request{};
  for (uint8_t i = 0; i < 16; ++i) {
    tenant[i] = i;
    request[i] = static_cast<uint8_t>(0xF0 + i);
  }
  const std::vector keys = {key(7, 'k')};
  const std::string token = minted({.tenant = TenantId(Uuid(tenant)),
                                    .audience = Audience::kCache,
                                    .issued_at = WallTime(seconds(0x01020304)),
                                    .expires_at = WallTime(seconds(0x01020305)),
                                    .request_id = Uuid(request)},
                                   keys);
  std::string payload("\x01\x07\x02", 3);
  for (const uint8_t byte : tenant) payload += static_cast<char>(byte);
  payload += std::string("\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x01\x02\x03\x05", 16);
  for (const uint8_t byte : request) payload += static_cast<char>(byte);
  const std::string covered = "pw1." + base64url_encode(payload);
  const auto mac = hmac_sha256(std::string(32, 'k'), covered);
  EXPECT_EQ(token, covered + "." + base64url_encode(as_bytes(mac)));
}

TEST(ContextToken, TimesAreCutToWholeSeconds) {
  const std::vector keys = {key(1, 'a')};
  Context context = sample();
  context.issued_at += milliseconds(999);
  context.expires_at += milliseconds(1);
  const auto read = verify_context(minted(context, keys), keys, Audience::kSql, kNow);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->issued_at, kNow);
  EXPECT_EQ(read->expires_at, kNow + seconds(60));
}

TEST(ContextToken, TwoKeysAreLiveWhileTheyRotate) {
  const std::vector before = {key(1, 'a')};
  const std::vector during = {key(2, 'b'), key(1, 'a')};
  const std::vector after = {key(2, 'b')};
  const std::string old_token = minted(sample(), before);
  const std::string new_token = minted(sample(), during);
  EXPECT_TRUE(verify_context(old_token, during, Audience::kSql, kNow).has_value());
  EXPECT_TRUE(verify_context(new_token, during, Audience::kSql, kNow).has_value());
  EXPECT_TRUE(verify_context(new_token, after, Audience::kSql, kNow).has_value());
  EXPECT_EQ(refusal(old_token, after), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(new_token, before), ErrorKind::kInvalid);
}

TEST(ContextToken, TheSameKeyIdWithAnotherKeyIsRefused) {
  EXPECT_EQ(refusal(minted(sample(), {key(1, 'a')}), {key(1, 'b')}), ErrorKind::kInvalid);
}

TEST(ContextToken, NoKeyAndShortKeysAreRefused) {
  EXPECT_EQ(mint_context(sample(), {}).error().kind, ErrorKind::kUnavailable);
  const std::vector<ContextKey> weak = {{.id = 1, .key = Secret(std::string(31, 'a'))}};
  EXPECT_EQ(mint_context(sample(), weak).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(refusal(minted(sample(), {key(1, 'a')}), {}), ErrorKind::kInvalid);
  // Even signed correctly: somebody might guess an empty or a short key.
  const std::string covered = minted(sample(), {key(1, 'a')}).substr(0, 72);
  const std::string mac = base64url_encode(as_bytes(hmac_sha256(std::string(31, 'a'), covered)));
  EXPECT_EQ(refusal(covered + "." + mac, weak), ErrorKind::kInvalid);
}

TEST(ContextToken, Audiences) {
  const std::vector keys = {key(1, 'a')};
  struct Case {
    Audience minted_for;
    Audience wanted;
    bool accepted;
  };
  for (const Case& c :
       {Case{Audience::kSql, Audience::kSql, true}, Case{Audience::kSql, Audience::kCache, false},
        Case{Audience::kSql, Audience::kAny, false}, Case{Audience::kCache, Audience::kCache, true},
        Case{Audience::kCache, Audience::kSql, false}, Case{Audience::kAny, Audience::kSql, true},
        Case{Audience::kAny, Audience::kCache, true}, Case{Audience::kAny, Audience::kAny, true}}) {
    const std::string token = minted(sample(c.minted_for), keys);
    const auto context = verify_context(token, keys, c.wanted, kNow);
    EXPECT_EQ(context.has_value(), c.accepted);
    if (!context) EXPECT_EQ(context.error().kind, ErrorKind::kDenied);
  }
}

TEST(ContextToken, ExpiryHasNoLeeway) {
  const std::vector keys = {key(1, 'a')};
  const std::string token = minted(sample(), keys);
  EXPECT_TRUE(verify_context(token, keys, Audience::kSql, kNow + milliseconds(59'999)).has_value());
  EXPECT_EQ(refusal(token, keys, Audience::kSql, kNow + seconds(60)), ErrorKind::kDenied);
}

TEST(ContextToken, NotYetValidBeyondTheClockLeeway) {
  const std::vector keys = {key(1, 'a')};
  const std::string token = minted(sample(), keys);
  EXPECT_TRUE(verify_context(token, keys, Audience::kSql, kNow - kContextClockLeeway).has_value());
  EXPECT_EQ(refusal(token, keys, Audience::kSql, kNow - kContextClockLeeway - milliseconds(1)),
            ErrorKind::kDenied);
}

TEST(ContextToken, LifetimesAreBounded) {
  const std::vector keys = {key(1, 'a')};
  Context context = sample();
  for (const Duration lifetime :
       {Duration(0), Duration(seconds(-1)), Duration(kMaxContextLifetime + seconds(1))}) {
    context.expires_at = context.issued_at + std::chrono::duration_cast<milliseconds>(lifetime);
    EXPECT_EQ(mint_context(context, keys).error().kind, ErrorKind::kInvalid);
  }
  context.expires_at = context.issued_at + kMaxContextLifetime;
  EXPECT_TRUE(mint_context(context, keys).has_value());
  context.issued_at = WallTime(seconds(-10));
  context.expires_at = WallTime(seconds(10));
  EXPECT_FALSE(mint_context(context, keys).has_value());
}

TEST(ContextToken, EveryFlippedBitIsRefused) {
  const std::vector keys = {key(0, 'a'), key(1, 'b'), key(2, 'c'), key(3, 'd')};
  const std::string token = minted(sample(), keys);
  for (size_t i = 0; i < token.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = token;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_EQ(refusal(changed, keys), ErrorKind::kInvalid) << i << ' ' << bit;
    }
  }
}

TEST(ContextToken, EveryOtherLengthIsRefused) {
  const std::vector keys = {key(1, 'a')};
  const std::string token = minted(sample(), keys);
  for (size_t length = 0; length < token.size(); ++length) {
    EXPECT_EQ(refusal(token.substr(0, length), keys), ErrorKind::kInvalid);
    EXPECT_EQ(refusal(token.substr(token.size() - length), keys), ErrorKind::kInvalid);
  }
  EXPECT_EQ(refusal(token + "A", keys), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(token + "=", keys), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(token + std::string(1 << 20, 'A'), keys), ErrorKind::kInvalid);
}

TEST(ContextToken, ASecondTextOfTheSameMacIsRefused) {
  const std::vector keys = {key(1, 'a')};
  const std::string token = minted(sample(), keys);
  // 43 characters of 32 bytes leave two bits unused: only the text with zeros there is canonical.
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const size_t last = kAlphabet.find(token.back());
  for (size_t spare = 1; spare < 4; ++spare) {
    std::string changed = token;
    changed.back() = kAlphabet[last + spare];
    EXPECT_EQ(refusal(changed, keys), ErrorKind::kInvalid);
  }
}

// Payloads that are signed correctly, by a newer program or a mistake, but make no sense.
TEST(ContextToken, SignedNonsenseIsRefused) {
  const std::vector keys = {key(1, 'a')};
  const auto token = minted(sample(), keys);
  const std::string good = base64url_decode(std::string_view(token).substr(4, 68)).value_or("");
  ASSERT_EQ(good.size(), 51U);
  const auto sign = [](const std::string& payload) {
    const std::string covered = "pw1." + base64url_encode(payload);
    const auto mac = hmac_sha256(std::string(32, 'a'), covered);
    return covered + "." + base64url_encode(as_bytes(mac));
  };
  ASSERT_EQ(sign(good), token);
  const auto with_byte = [&](size_t index, char value) {
    std::string payload = good;
    payload[index] = value;
    return sign(payload);
  };
  EXPECT_EQ(refusal(with_byte(0, 2), keys), ErrorKind::kInvalid);        // version
  EXPECT_EQ(refusal(with_byte(2, 0), keys), ErrorKind::kInvalid);        // audience
  EXPECT_EQ(refusal(with_byte(2, 4), keys), ErrorKind::kInvalid);        // audience
  EXPECT_EQ(refusal(with_byte(19, '\x7F'), keys), ErrorKind::kInvalid);  // issued far in the future
  EXPECT_EQ(refusal(with_byte(27, '\xFF'), keys), ErrorKind::kInvalid);  // expiry beyond any date
  std::string ends_before_it_begins = good;
  std::swap_ranges(ends_before_it_begins.begin() + 19, ends_before_it_begins.begin() + 27,
                   ends_before_it_begins.begin() + 27);
  EXPECT_EQ(refusal(sign(ends_before_it_begins), keys), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(with_byte(32, '\x7F'), keys),
            ErrorKind::kInvalid);  // lives too long
  EXPECT_EQ(refusal(sign(good.substr(0, 48)), keys), ErrorKind::kInvalid);
  EXPECT_EQ(refusal(sign(good + good), keys), ErrorKind::kInvalid);
}

TEST(ContextToken, MessagesNeverHoldTheToken) {
  const std::vector keys = {key(1, 'a')};
  const std::string token = minted(sample(), keys);
  for (const auto& failed : {verify_context(token, {}, Audience::kSql, kNow),
                             verify_context(token, keys, Audience::kSql, kNow + hours(1)),
                             verify_context(token.substr(1), keys, Audience::kSql, kNow)}) {
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().message.find(token.substr(8, 8)), std::string::npos);
  }
}

}  // namespace
}  // namespace partywall
