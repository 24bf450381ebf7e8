#include "base/address_block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall {
namespace {

AddressBlock block(std::string_view text) { return AddressBlock::parse(text).value(); }

TEST(AddressBlock, HoldsWhatBeginsAlike) {
  EXPECT_TRUE(block("10.0.0.0/8").contains("10.255.0.1"));
  EXPECT_FALSE(block("10.0.0.0/8").contains("11.0.0.0"));
  EXPECT_TRUE(block("10.32.0.0/11").contains("10.63.255.255"));
  EXPECT_FALSE(block("10.32.0.0/11").contains("10.64.0.0"));
  EXPECT_TRUE(block("127.0.0.1").contains("127.0.0.1"));
  EXPECT_FALSE(block("127.0.0.1").contains("127.0.0.2"));
  EXPECT_TRUE(block("2001:db8::/32").contains("2001:db8:ffff::1"));
  EXPECT_FALSE(block("2001:db8::/32").contains("2001:db9::1"));
  EXPECT_TRUE(block("::1").contains("::1"));
  EXPECT_TRUE(block("::/0").contains("10.0.0.1"));
  EXPECT_TRUE(block("0.0.0.0/0").contains("255.1.2.3"));
  EXPECT_FALSE(block("0.0.0.0/0").contains("2001:db8::1"));
}

TEST(AddressBlock, TakesMappedAddressesForIpv4) {
  EXPECT_TRUE(block("10.0.0.0/8").contains("::ffff:10.0.0.1"));
  EXPECT_TRUE(block("::ffff:10.0.0.1").contains("10.0.0.1"));
}

TEST(AddressBlock, HoldsNothingThatIsNoAddress) {
  for (const char* text : {"", "localhost", "/run/x.sock", "10.0.0.1:80", "10.0.0", "unknown"}) {
    EXPECT_FALSE(block("::/0").contains(text)) << text;
  }
  EXPECT_FALSE(AddressBlock().contains("10.0.0.1"));
}

TEST(AddressBlock, RefusesWhatIsNotOne) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/08",
        "10.0.0.0/8/8", "10.0.0/8", "example.com", "10.0.0.0 /8"}) {
    EXPECT_FALSE(AddressBlock::parse(text)) << text;
  }
  EXPECT_THAT(AddressBlock::parse("10.0.0.1/8").error().message,
              testing::HasSubstr("write 10.0.0.0/8"));
  EXPECT_THAT(AddressBlock::parse("2001:db8::1/32").error().message,
              testing::HasSubstr("write 2001:db8::/32"));
}

TEST(AddressBlock, IsWrittenAsItIsRead) {
  for (const char* text :
       {"10.0.0.0/8", "127.0.0.1", "::1", "2001:db8::/32", "0.0.0.0/0", "::/0"}) {
    EXPECT_EQ(block(text).to_string(), text);
    EXPECT_EQ(block(block(text).to_string()), block(text));
  }
}

}  // namespace
}  // namespace partywall
