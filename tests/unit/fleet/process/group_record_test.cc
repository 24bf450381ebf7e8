#include "fleet/process/group_record.h"

#include <gtest/gtest.h>

namespace partywall::fleet {
namespace {

GroupRecord example() {
  const std::string boot_id = "0f6c4ed3-2c6c-4b55-9d1e-5f4f2f0a9f6b";
  return {.group = GroupName("shop-web"),
          .leader = FencingNumber(17),
          .instances = {{.ordinal = 1,
                         .port = 4001,
                         .spec_digest = std::string(64, 'a'),
                         .process = {100, 555, boot_id}},
                        {.ordinal = 2,
                         .port = 4002,
                         .spec_digest = std::string(64, 'b'),
                         .process = {101, 556, boot_id}}}};
}

TEST(GroupRecord, ReadsWhatItWrote) {
  const auto read = parse_group_record(write_group_record(example()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, example());
  const GroupRecord empty{.group = GroupName("a"), .leader = FencingNumber(0)};
  EXPECT_EQ(parse_group_record(write_group_record(empty)), empty);
}

TEST(GroupRecord, RefusesWhatIsCutOff) {
  const std::string text = write_group_record(example());
  const std::string header =
      write_group_record({.group = GroupName("shop-web"), .leader = FencingNumber(17)});
  const size_t one_instance = text.find("instance 2");
  for (size_t length = 0; length < text.size(); ++length) {
    if (length == header.size() || length == one_instance)
      continue;  // complete records of fewer instances
    EXPECT_FALSE(parse_group_record(std::string_view(text).substr(0, length))) << length;
  }
}

TEST(GroupRecord, RefusesWhatItDidNotWrite) {
  const std::string text = write_group_record(example());
  const auto with = [&](std::string_view what, std::string_view instead) {
    std::string changed = text;
    changed.replace(changed.find(what), what.size(), instead);
    return parse_group_record(changed);
  };
  EXPECT_FALSE(with("group 1", "group 2"));
  EXPECT_FALSE(with("shop-web", "../web"));
  EXPECT_FALSE(with("leader 17", "leader -17"));
  EXPECT_FALSE(with("leader 17", "leader 17 "));
  EXPECT_FALSE(with("4001", "65536"));
  EXPECT_FALSE(with(" 100 ", " -1 ")) << "kill(-1) would signal everything";
  EXPECT_FALSE(with(" 100 ", " 0 "));
  EXPECT_FALSE(with("instance 1", "instance 0"));
  EXPECT_FALSE(with(" 100 ", "  100 "));
  EXPECT_FALSE(with("aaaa", "aaaaa"));
}

}  // namespace
}  // namespace partywall::fleet
