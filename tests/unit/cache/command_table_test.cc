#include "cache/commands/command_table.h"

#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using Kind = CommandKind;

Kind kind_of(std::string_view name, std::string_view first = "") {
  const CommandRule* rule = find_command(name, first);
  return rule == nullptr ? Kind::kDenied : rule->kind;
}

TEST(CommandTable, FindsNamesInAnyCaseAndSubCommands) {
  EXPECT_EQ(find_command("gEt", "x")->name, "get");
  EXPECT_EQ(find_command("CLIENT", "SetName")->name, "client|setname");
  EXPECT_EQ(find_command("object", "")->name, "object");
  EXPECT_EQ(find_command("bitfield_ro", "")->name, "bitfield_ro");
  for (const CommandRule& rule : kCommandRules) {
    const size_t bar = rule.name.find('|');
    const auto* found = bar == std::string_view::npos
                            ? find_command(rule.name, "")
                            : find_command(rule.name.substr(0, bar), rule.name.substr(bar + 1));
    EXPECT_EQ(found, &rule) << rule.name;
  }
}

TEST(CommandTable, KnowsNothingElse) {
  EXPECT_EQ(find_command("nosuch", ""), nullptr);
  EXPECT_EQ(find_command("", ""), nullptr);
  EXPECT_EQ(find_command("client|id", ""), nullptr);
  EXPECT_EQ(find_command("client", "nosuch"), nullptr);
  EXPECT_EQ(find_command("script", "load|x"), nullptr);
  EXPECT_EQ(find_command(std::string_view("get\0", 4), ""), nullptr);
  EXPECT_EQ(find_command(std::string(1000, 'g'), ""), nullptr);
  EXPECT_EQ(find_command("client", std::string(1000, 'g')), nullptr);
}

TEST(CommandTable, RefusesWhatLeavesTheTenantsDatabase) {
  for (const char* name : {"swapdb", "migrate", "debug", "monitor", "shutdown", "replicaof",
                           "psync", "sync", "save", "bgsave", "failover", "restore", "function",
                           "wait", "slaveof", "config", "module", "script"}) {
    EXPECT_EQ(kind_of(name), Kind::kDenied) << name;
  }
  EXPECT_EQ(kind_of("config", "rewrite"), Kind::kDenied);
  EXPECT_EQ(kind_of("script", "kill"), Kind::kDenied);
  EXPECT_EQ(kind_of("function", "load"), Kind::kDenied);
  EXPECT_EQ(kind_of("client", "pause"), Kind::kDenied);
  EXPECT_EQ(kind_of("acl", "setuser"), Kind::kDenied);
  EXPECT_EQ(kind_of("flushall"), Kind::kFlush);
  // Only in prefix mode, under other names; the tenant's user has neither.
  EXPECT_EQ(kind_of("copy"), Kind::kCopy);
  EXPECT_EQ(kind_of("move"), Kind::kMove);
  EXPECT_FALSE(is_passed_on(Kind::kCopy) || is_passed_on(Kind::kMove));
  EXPECT_EQ(kind_of("select"), Kind::kSelect);
  EXPECT_EQ(kind_of("reset"), Kind::kReset);
}

// What Redis itself says about its commands bounds what the policy may allow.
struct RedisFacts {
  std::set<std::string> flags;
  std::set<std::string> categories;
};

std::set<std::string> quoted_words(const std::string& line, const std::string& member) {
  std::set<std::string> words;
  const size_t begin = line.find("\"" + member + "\": [");
  std::stringstream list(
      line.substr(begin + member.size() + 5, line.find(']', begin) - begin - member.size() - 5));
  for (std::string word; std::getline(list, word, ',');) {
    const size_t open = word.find('"');
    if (open != std::string::npos) words.insert(word.substr(open + 1, word.rfind('"') - open - 1));
  }
  return words;
}

std::map<std::string, RedisFacts> read_snapshot() {
  std::map<std::string, RedisFacts> facts;
  for (const char* name : {"redis-7.0.json", "newer.json"}) {
    std::ifstream file(std::string(PARTYWALL_SOURCE_DIR "/tools/cache_commands/") + name);
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with("  \"")) continue;
      facts[line.substr(3, line.find('"', 3) - 3)] = {quoted_words(line, "flags"),
                                                      quoted_words(line, "categories")};
    }
  }
  return facts;
}

class CommandPolicy : public testing::Test {
 protected:
  const std::map<std::string, RedisFacts> facts_ = read_snapshot();
  bool has_flag(const CommandRule& rule, const char* flag) const {
    return facts_.at(std::string(rule.name)).flags.contains(flag);
  }
  bool has_category(const CommandRule& rule, const char* category) const {
    return facts_.at(std::string(rule.name)).categories.contains(category);
  }
};

TEST_F(CommandPolicy, CoversWhatRedisHas) {
  ASSERT_EQ(facts_.size(), kCommandCount);
  for (const CommandRule& rule : kCommandRules) {
    EXPECT_TRUE(facts_.contains(std::string(rule.name))) << rule.name;
    EXPECT_EQ(rule.kind == Kind::kDenied, !rule.reason.empty()) << rule.name;
  }
}

TEST_F(CommandPolicy, PassesNoAdministrationOn) {
  const std::set<std::string_view> known_dangers = {"flushall", "flushdb", "keys", "sort",
                                                    "sort_ro"};
  for (const CommandRule& rule : kCommandRules) {
    if (!is_passed_on(rule.kind) && !is_subscription(rule.kind)) continue;
    EXPECT_FALSE(has_flag(rule, "admin") || has_category(rule, "admin")) << rule.name;
    if (has_category(rule, "dangerous"))
      EXPECT_TRUE(known_dangers.contains(rule.name)) << rule.name;
  }
}

TEST_F(CommandPolicy, GivesWhatMayBlockOrKeepsStateItsOwnConnection) {
  for (const CommandRule& rule : kCommandRules) {
    if (has_flag(rule, "blocking") && rule.kind != Kind::kDenied)
      EXPECT_EQ(rule.kind, Kind::kBlocking) << rule.name;
    if (rule.kind != Kind::kPlain) continue;
    EXPECT_FALSE(has_category(rule, "transaction") || has_category(rule, "pubsub")) << rule.name;
    EXPECT_FALSE(has_flag(rule, "no_auth")) << rule.name;
    const bool stateless =
        rule.name == "ping" || rule.name == "echo" || rule.name.starts_with("command");
    if (has_category(rule, "connection")) EXPECT_TRUE(stateless) << rule.name;
  }
}

TEST_F(CommandPolicy, KnowsWhatWrites) {
  for (const CommandRule& rule : kCommandRules) {
    if (has_flag(rule, "write") || has_flag(rule, "denyoom"))
      EXPECT_NE(rule.effect, CommandEffect::kReads) << rule.name;
  }
  EXPECT_EQ(find_command("hexpire", "")->effect, CommandEffect::kWrites);
  EXPECT_EQ(find_command("eval", "")->effect, CommandEffect::kMayWrite);
  EXPECT_EQ(find_command("eval_ro", "")->effect, CommandEffect::kReads);
}

}  // namespace
}  // namespace partywall::cache
