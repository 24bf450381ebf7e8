#include "cache/quota/key_index.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/commands/command_table.h"
#include "cache/quota/recent_names.h"
#include "cache/quota/session_quota.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

std::vector<std::string> written_down(std::initializer_list<std::string_view> words,
                                      uint32_t missing = 0) {
  const std::string text = make_request(words);
  RequestParser parser;
  parser.parse(text, {});
  const Request& request = parser.request();
  const CommandRule* rule = find_command(request.name, request.first);
  std::vector<std::string> out;
  for (const std::string_view key :
       keys_to_write_down(request, *rule, request.argument_count - missing))
    out.emplace_back(key);
  // The short way says the same.
  if (const auto only = only_key_to_write_down(request, *rule))
    EXPECT_EQ(out, std::vector<std::string>{std::string(*only)});
  return out;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(KeyIndex, HasTheHashTagOfItsKeysAndIsNoKeyOfAnyTenant) {
  EXPECT_EQ(key_index("tenant:{a}:"), "partywall-keys:tenant:{a}:");
}

TEST(KeysToWriteDown, AreThoseThatMayBeMade) {
  EXPECT_THAT(written_down({"SET", "a", "1"}), ElementsAre("a"));
  EXPECT_THAT(written_down({"MSET", "a", "1", "b", "2"}), ElementsAre("a", "b"));
  EXPECT_THAT(written_down({"LMOVE", "a", "b", "LEFT", "LEFT"}), ElementsAre("a", "b"));
  EXPECT_THAT(written_down({"RENAME", "a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(written_down({"EVAL", "return 1", "2", "a", "b", "c"}), ElementsAre("a", "b"));
  EXPECT_THAT(written_down({"XGROUP", "CREATE", "a", "g", "$", "MKSTREAM"}), ElementsAre("a"));
}

TEST(KeysToWriteDown, WhatIsMadeOfOthersIsOneKey) {
  EXPECT_THAT(written_down({"SUNIONSTORE", "d", "a", "b"}), ElementsAre("d"));
  EXPECT_THAT(written_down({"ZUNIONSTORE", "d", "2", "a", "b"}), ElementsAre("d"));
  EXPECT_THAT(written_down({"BITOP", "OR", "d", "a", "b"}), ElementsAre("d"));
  EXPECT_THAT(written_down({"SORT", "a", "LIMIT", "0", "1", "STORE", "d"}), ElementsAre("d"));
  EXPECT_THAT(written_down({"GEORADIUS", "a", "1", "1", "1", "m", "STORE", "d"}), ElementsAre("d"));
  EXPECT_THAT(written_down({"PFADD", "a", "1"}), ElementsAre("a"));
}

TEST(KeysToWriteDown, WhatMayGoToAnotherDatabaseIsNotAmongThem) {
  EXPECT_THAT(written_down({"COPY", "a", "b", "DB", "1"}), IsEmpty());
  EXPECT_THAT(written_down({"MOVE", "a", "1"}), IsEmpty());
}

TEST(KeysToWriteDown, WhatReadsOrRemovesMakesNone) {
  for (const auto& words : std::vector<std::vector<std::string_view>>{
           {"GET", "a"}, {"DEL", "a", "b"}, {"EXPIRE", "a", "1"}, {"LPOP", "a"}, {"SORT", "a"}}) {
    EXPECT_THAT(words.size() == 2 ? written_down({words[0], words[1]})
                                  : written_down({words[0], words[1], words[2]}),
                IsEmpty());
  }
}

TEST(KeysToWriteDown, OfARequestThatStillArrivesAreThoseThatAreThere) {
  EXPECT_THAT(written_down({"MSET", "a", "1", "b", "2"}, 2), ElementsAre("a"));
}

TEST(RecentNames, AreRememberedUntilOthersTakeThePlace) {
  constexpr uint64_t kSameSet = 1UL << 16;
  RecentNames names;
  for (uint64_t i = 0; i < 4; ++i) EXPECT_FALSE(names.add(1 + i * kSameSet));
  for (uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(names.add(1 + i * kSameSet));
  EXPECT_FALSE(names.add(1 + 4 * kSameSet));
  EXPECT_TRUE(names.add(1 + 3 * kSameSet));
  EXPECT_FALSE(names.add(1)) << "it came first";
}

TEST(RecentNames, NearlyAllOfTenThousandAreRememberedTogether) {
  RecentNames names;
  std::mt19937_64 random(1);
  std::vector<uint64_t> hashes(10'000);
  for (uint64_t& hash : hashes) names.add(hash = random());
  const auto forgotten =
      std::ranges::count_if(hashes, [&](uint64_t hash) { return !names.add(hash); });
  EXPECT_LT(forgotten, 50);
}

TEST(OpenCharges, NamesGoWithWhatTheyWereChargedFor) {
  OpenCharges open;
  open.add({.keys = 1}, {.database = 2, .count = 1, .bulks = "a"}, 1);
  open.add({.keys = 1}, {.database = 2, .count = 1, .bulks = "bc"}, 2);
  EXPECT_EQ(open.name_bytes(), 3U);
  EXPECT_TRUE(open.names_are_of(2));
  EXPECT_FALSE(open.names_are_of(0));
  const Charge first = open.take_answered(1);
  EXPECT_EQ(first.names.bulks, "a");
  EXPECT_EQ(first.names.database, 2U);
  EXPECT_EQ(open.take_names().bulks, "bc");
  EXPECT_EQ(open.take_all().growth.keys, 1U);
  EXPECT_TRUE(open.none());
}

TEST(RemovedKeys, AreOfOneDatabaseAndFew) {
  RemovedKeys removed;
  removed.add(0, "a");
  removed.add(1, "b");
  removed.add(1, std::string(1'000, 'x'));
  EXPECT_EQ(removed.database(), 1U);
  EXPECT_EQ(removed.take(), std::vector<std::string>{"b"});
  for (int i = 0; i < 1'000; ++i) removed.add(1, "c");
  EXPECT_EQ(removed.take().size(), 64U);
}

}  // namespace
}  // namespace partywall::cache
