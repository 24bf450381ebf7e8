#include "base/base64.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace partywall {
namespace {

constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

TEST(Base64, ExamplesOfRfc4648) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text).value(), bytes);
    const std::string unpadded = std::string(text).substr(0, std::string(text).find('='));
    EXPECT_EQ(base64url_encode(bytes), unpadded);
    EXPECT_EQ(base64url_decode(unpadded).value(), bytes);
  }
  EXPECT_EQ(base64_encode("\xFB\xFF"), "+/8=");
  EXPECT_EQ(base64url_encode("\xFB\xFF"), "-_8");
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z", "Zm9vZ", "Zh==", "Zm9=", "=",
                           "====", "Z===", "Zg==Zg==", "Zm 9v", "Zm9v\n", "-_8=", "Zg=g", "=Zg="}) {
    EXPECT_FALSE(base64_decode(text).has_value()) << text;
  }
  for (const char* text : {"Zg==", "Z", "Zm9vZ", "Zh", "Zm9", "+/8", "Zm 9v", "Zm9v\n", " ", "."}) {
    EXPECT_FALSE(base64url_decode(text).has_value()) << text;
  }
  EXPECT_FALSE(base64url_decode(std::string_view("Zm9\0", 4)).has_value());
  EXPECT_FALSE(base64url_decode("Zm9\xFF").has_value());
}

TEST(Base64Property, GoesBothWays) {
  SeededRandom random(1);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(random.below(70), '\0');
    random.fill({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
    EXPECT_EQ(base64_decode(base64_encode(bytes)).value(), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)).value(), bytes);
  }
}

// Of all texts of up to three characters, each that decodes is the one its bytes encode to.
TEST(Base64Property, OneValueHasOneText) {
  size_t accepted = 0;
  const auto check = [&](const std::string& text) {
    const auto bytes = base64url_decode(text);
    if (!bytes) return;
    ++accepted;
    ASSERT_EQ(base64url_encode(*bytes), text);
  };
  for (const char a : kUrlAlphabet) {
    check({a});
    for (const char b : kUrlAlphabet) {
      check({a, b});
      for (const char c : kUrlAlphabet) check({a, b, c});
    }
  }
  EXPECT_EQ(accepted, 256U + 65'536U);
}

}  // namespace
}  // namespace partywall
