#include "cache/push_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using Kind = PushFrame::Kind;

std::string strip(std::string_view frame) {
  const auto read = read_push_frame(frame, ChannelNames("t:", 5, 1));
  if (!read) return "refused";
  return read->kind == Kind::kForeign ? "foreign" : read->text;
}

TEST(PushFrame, TakesThePrefixOffNames) {
  EXPECT_EQ(strip("*3\r\n$7\r\nmessage\r\n$3\r\nt:a\r\n$4\r\nt:xy\r\n"),
            "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$4\r\nt:xy\r\n");
  EXPECT_EQ(strip(">4\r\n$8\r\npmessage\r\n$3\r\nt:*\r\n$3\r\nt:a\r\n$1\r\nx\r\n"),
            ">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$1\r\nx\r\n");
  EXPECT_EQ(strip("*3\r\n$9\r\nsubscribe\r\n$2\r\nt:\r\n:1\r\n"),
            "*3\r\n$9\r\nsubscribe\r\n$0\r\n\r\n:1\r\n");
  EXPECT_EQ(strip("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"),
            "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(strip(">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n"),
            ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n");
  EXPECT_EQ(strip("*2\r\n$4\r\npong\r\n$2\r\nhi\r\n"), "*2\r\n$4\r\npong\r\n$2\r\nhi\r\n");
  EXPECT_EQ(strip("-ERR x\r\n"), "-ERR x\r\n");
}

TEST(PushFrame, RefusesForeignAndUnknownOnes) {
  for (const char* frame :
       {"*3\r\n$7\r\nmessage\r\n$3\r\nu:a\r\n$1\r\nx\r\n",
        "*3\r\n$7\r\nmessage\r\n$-1\r\n$1\r\nx\r\n",
        "*4\r\n$8\r\npmessage\r\n$3\r\nt:*\r\n$3\r\nu:a\r\n$1\r\nx\r\n",
        "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$3\r\nt:a\r\n$1\r\nx\r\n",
        ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", "*2\r\n$7\r\nmessage\r\n$3\r\nt:a\r\n",
        "*0\r\n", "*-1\r\n", ":1\r\n", "$1\r\na\r\n", ""}) {
    EXPECT_EQ(strip(frame), "refused") << frame;
  }
}

TEST(PushFrame, GivesKeyspaceNotificationsTheTenantsNumbers) {
  EXPECT_EQ(strip("*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@5__:a\r\n$3\r\nset\r\n"),
            "*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@0__:a\r\n$3\r\nset\r\n");
  EXPECT_EQ(strip("*4\r\n$8\r\npmessage\r\n$12\r\n__key*@5__:*\r\n$16\r\n__keyspace@5__:a"
                  "\r\n$3\r\nset\r\n"),
            "*4\r\n$8\r\npmessage\r\n$12\r\n__key*@0__:*\r\n$16\r\n__keyspace@0__:a\r\n"
            "$3\r\nset\r\n");
  // A neighbour's key "x@5__:y" is matched by that pattern too.
  EXPECT_EQ(strip("*4\r\n$8\r\npmessage\r\n$12\r\n__key*@5__:*\r\n$22\r\n__keyspace@6__:x@5__:y"
                  "\r\n$3\r\nset\r\n"),
            "foreign");
  EXPECT_EQ(strip("*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@6__:a\r\n$3\r\nset\r\n"), "refused");
}

// Of a tenant in prefix mode that has two databases.
class KeyEventFrames : public testing::Test {
 protected:
  KeyEventFrames() {
    CacheBackend backend;
    backend.mode = CacheMode::kPrefix;
    Tenant tenant;
    tenant.id = TenantId(Uuid::from_halves(1, 1));
    tenant.cache_tag = "a";
    tenant.limits.cache_databases = 2;
    names_ = ChannelNames(tenant, backend);
  }
  static std::string frame(std::initializer_list<std::string_view> words, char type = '*') {
    std::string text = make_request(words);
    text[0] = type;
    return text;
  }
  [[nodiscard]] std::string pattern(KeyEvents::As as, std::string_view name) const {
    return names_.key_events().to_pattern(as, name).value().value();
  }
  // What a client that has asked for `name` hears of the event of a key in Redis.
  std::string heard(KeyEvents::As as, std::string_view name, std::string_view key,
                    std::string_view event, char type = '*') const {
    const std::string channel = "__keyspace@0__:" + std::string(key);
    const auto read =
        read_push_frame(frame({"pmessage", pattern(as, name), channel, event}, type), names_);
    if (!read) return "refused";
    return read->kind == PushFrame::Kind::kForeign ? "foreign" : read->text;
  }

  static constexpr auto kChannel = KeyEvents::As::kChannel;
  static constexpr auto kPattern = KeyEvents::As::kPattern;
  ChannelNames names_;
};

TEST_F(KeyEventFrames, AreWhatTheClientHasAskedFor) {
  EXPECT_EQ(heard(kChannel, "__keyevent@0__:del", "tenant:{a}:k", "del"),
            frame({"message", "__keyevent@0__:del", "k"}));
  EXPECT_EQ(heard(kChannel, "__keyevent@0__:del", "tenant:{a}:k", "set"), "foreign");
  EXPECT_EQ(heard(kPattern, "__keyevent@1__:*", "tenant:{a}.1:k", "del", '>'),
            frame({"pmessage", "__keyevent@1__:*", "__keyevent@1__:del", "k"}, '>'));
  EXPECT_EQ(heard(kPattern, "__keyspace@*__:k*", "tenant:{a}.1:k2", "del"),
            frame({"pmessage", "__keyspace@*__:k*", "__keyspace@1__:k2", "del"}));
  EXPECT_EQ(heard(kPattern, "__keyspace@*__:k*", "tenant:{a}.1:x", "del"), "foreign");
  EXPECT_EQ(heard(kPattern, "__key*__:*", "tenant:{a}:k", "set"),
            frame({"pmessage", "__key*__:*", "__keyspace@0__:k", "set"}) +
                frame({"pmessage", "__key*__:*", "__keyevent@0__:set", "k"}));
  EXPECT_EQ(heard(kPattern, "__key*@0__:set", "tenant:{a}:k", "set"),
            frame({"pmessage", "__key*@0__:set", "__keyevent@0__:set", "k"}));
}

TEST_F(KeyEventFrames, OfOthersKeysEndTheConnectionAndThoseOfNoDatabaseAreDropped) {
  for (const char* key : {"tenant:{b}:k", "k", "tenant:{a}", "tenant:{a}x:k"})
    EXPECT_EQ(heard(kPattern, "__key*__:*", key, "set"), "refused") << key;
  for (const char* key : {"tenant:{a}.2:k", "tenant:{a}.made up", "tenant:{a}.01:k"})
    EXPECT_EQ(heard(kPattern, "__key*__:*", key, "set"), "foreign") << key;
}

TEST_F(KeyEventFrames, ConfirmationsNameWhatWasAskedFor) {
  const auto confirmed = [&](std::string_view command, const std::string& name, char type) {
    const auto read = read_push_frame(
        std::string(1, type) + "3\r\n" + make_request({command, name}).substr(4) + ":7\r\n",
        names_);
    return read && read->kind == PushFrame::Kind::kConfirmation ? read->text : "refused";
  };
  EXPECT_EQ(confirmed("psubscribe", pattern(kChannel, "__keyevent@0__:del"), '*'),
            "*3\r\n$9\r\nsubscribe\r\n$18\r\n__keyevent@0__:del\r\n:7\r\n");
  EXPECT_EQ(confirmed("punsubscribe", pattern(kChannel, "__keyevent@0__:del"), '>'),
            ">3\r\n$11\r\nunsubscribe\r\n$18\r\n__keyevent@0__:del\r\n:7\r\n");
  EXPECT_EQ(confirmed("psubscribe", pattern(kPattern, "__keyevent@0__:*"), '*'),
            "*3\r\n$10\r\npsubscribe\r\n$16\r\n__keyevent@0__:*\r\n:7\r\n");
  EXPECT_EQ(confirmed("punsubscribe", names_.key_events().pattern_of_nothing(), '*'),
            "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:7\r\n");
  EXPECT_EQ(confirmed("punsubscribe", names_.key_events().pattern_of_nothing(), '>'),
            ">3\r\n$12\r\npunsubscribe\r\n_\r\n:7\r\n");
}

}  // namespace
}  // namespace partywall::cache
