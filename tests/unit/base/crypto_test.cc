#include "base/crypto.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/hex.h"

namespace partywall {
namespace {

std::string hex(const Sha256Digest& digest) { return to_hex(as_bytes(digest)); }

TEST(Sha256, ExamplesOfFips180) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(HmacSha256, ExamplesOfRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// An empty key is a key, too; it must not mean "the one of the last time".
TEST(HmacSha256, AnEmptyKeyIsNotTheLastOne) {
  const std::string empty_key_empty_text =
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(hex(hmac_sha256("", "")), empty_key_empty_text);
  const auto with_key = hmac_sha256("some key", "");
  EXPECT_EQ(hex(hmac_sha256("", "")), empty_key_empty_text);
  EXPECT_EQ(hex(hmac_sha256(std::string_view(), std::string_view())), empty_key_empty_text);
  EXPECT_EQ(hmac_sha256("some key", ""), with_key);
}

TEST(HmacSha256, ThreadsDoNotShareState) {
  const auto expected = hmac_sha256("key 1", "text 1");
  const auto expected_digest = sha256("text 1");
  std::vector<std::jthread> threads;
  std::atomic<int> wrong{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 500; ++i) {
        (void)hmac_sha256(fmt::format("key {}", thread + 2), fmt::format("text {}", i));
        (void)sha256(fmt::format("text {}", i + 2));
        if (hmac_sha256("key 1", "text 1") != expected || sha256("text 1") != expected_digest)
          ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong.load(), 0);
}

// RFC 7914 section 11; RFC 7677 section 3 has the salted password of the SCRAM example in it.
TEST(Pbkdf2Sha256, ExampleOfRfc7914) {
  EXPECT_EQ(hex(pbkdf2_sha256("passwd", "salt", 1)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
  EXPECT_EQ(hex(pbkdf2_sha256("Password", "NaCl", 80'000)),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

TEST(ConstantTimeEqual, ComparesLikeEquals) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
  EXPECT_FALSE(constant_time_equal("", "a"));
  EXPECT_FALSE(constant_time_equal(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

TEST(Crypto, AKeyThatIsUsedAgainGivesTheSame) {
  const auto first = hmac_sha256("key 1", "text");
  EXPECT_EQ(hmac_sha256("key 1", "text"), first);
  EXPECT_NE(hmac_sha256("key 2", "text"), first);
  EXPECT_NE(hmac_sha256("key 1", "other"), first);
  EXPECT_EQ(hmac_sha256("key 1", "text"), first);
}

// Every length around the step of eight bytes, and a difference at every place.
TEST(Crypto, ConstantTimeComparisonSeesEveryByte) {
  for (size_t length = 0; length < 40; ++length) {
    const std::string text(length, 'a');
    EXPECT_TRUE(constant_time_equal(text, std::string(length, 'a')));
    EXPECT_FALSE(constant_time_equal(text, std::string(length + 1, 'a')));
    for (size_t at = 0; at < length; ++at) {
      std::string other = text;
      other[at] ^= '\x80';
      EXPECT_FALSE(constant_time_equal(text, other)) << length << " " << at;
    }
  }
}

}  // namespace
}  // namespace partywall
