#include "cache/prefix/keyspace_job.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "cache/glob.h"

namespace partywall::cache {
namespace {

const std::string kJobPrefix = "t:{a}:";

// Answers SCAN as Redis might: a few places in each step, a key sometimes twice.
class ScannedRedis {
 public:
  explicit ScannedRedis(std::set<std::string> keys) : keys_(std::move(keys)) {}

  std::string run(KeyspaceJob& job, Protocol protocol = Protocol::kResp2) {
    while (const auto step = job.next()) {
      ++steps;
      job.answered(answer(*step));
    }
    return job.answer(protocol);
  }

  uint32_t steps = 0;
  uint32_t keys_per_step = 3;
  bool repeats = true;
  std::string failure;
  std::vector<std::string> cleaned_up;  // of the index

  [[nodiscard]] const std::set<std::string>& keys() const { return keys_; }

 private:
  std::string answer(const KeyspaceJob::Step& step) {
    RequestParser parser;
    EXPECT_EQ(parser.parse(step.request, {}), RequestParser::Status::kRequest);
    std::vector<std::string> words;
    ArgumentCursor cursor(parser.request());
    while (const auto word = cursor.next()) words.emplace_back(*word);
    if (!failure.empty()) return failure;
    if (words[0] == "UNLINK") {
      EXPECT_EQ(step.asker, KeyspaceJob::Asker::kTenant);
      for (size_t i = 1; i < words.size(); ++i) keys_.erase(words[i]);
      return ":1\r\n";
    }
    if (words[0] == "EVAL") {
      EXPECT_EQ(step.asker, KeyspaceJob::Asker::kIndexUser);
      EXPECT_EQ(words[3], "partywall-keys:t:{a}:");
      EXPECT_EQ(words.back(), "t:{a}:");
      for (size_t i = 4; i + 1 < words.size(); ++i) cleaned_up.push_back(words[i]);
      return "*2\r\n:0\r\n:0\r\n";
    }
    EXPECT_EQ(step.asker, KeyspaceJob::Asker::kKeyspaceUser);
    return scan(words);
  }

  std::string scan(const std::vector<std::string>& words) {
    std::string pattern = "*";
    for (size_t i = 2; i + 1 < words.size(); i += 2) {
      if (words[i] == "MATCH") pattern = words[i + 1];
      if (words[i] == "BAD") return "-ERR syntax error near 't:{a}:*'\r\n";
    }
    // Places do not move when keys go: a cursor is a place among the keys of the beginning.
    static_cast<void>(places_.empty() && (places_.assign(keys_.begin(), keys_.end()), true));
    uint64_t place = std::stoull(words[1]);
    if (place >= places_.size()) place = places_.size();
    const uint64_t end = std::min<uint64_t>(place + keys_per_step, places_.size());
    std::string found;
    size_t count = 0;
    for (uint64_t i = place > 0 && repeats ? place - 1 : place; i < end; ++i) {
      if (!keys_.contains(places_[i]) || !glob_matches(pattern, places_[i])) continue;
      append_bulk(found, places_[i]);
      ++count;
    }
    std::string out;
    append_array_header(out, 2);
    append_bulk(out, end == places_.size() ? "0" : std::to_string(end));
    append_array_header(out, count);
    return out + found;
  }

  std::set<std::string> keys_;
  std::vector<std::string> places_;
};

const std::set<std::string> kKeys = {"t:{a}:1", "t:{a}:2", "t:{a}:22", "t:{a}:x*",
                                     "t:{b}:2", "other",   "t:{ab}:2", "t:{a}",
                                     "u",       "v",       "w",        "t:{a}:last"};

Request parse(RequestParser& parser, const std::string& bytes) {
  EXPECT_EQ(parser.parse(bytes, {}), RequestParser::Status::kRequest);
  return parser.request();
}

TEST(KeyspaceJob, CountsTheKeysOfTheTenantOnce) {
  ScannedRedis redis(kKeys);
  SeededRandom random(1);
  CountKeys job(kJobPrefix, random);
  EXPECT_EQ(redis.run(job), ":5\r\n");
  EXPECT_EQ(job.count(), 5U);
  EXPECT_EQ(redis.steps, 4U);
}

TEST(KeyspaceJob, ListsTheKeysThatMatch) {
  ScannedRedis redis(kKeys);
  ListKeys twos(kJobPrefix, "2*");
  EXPECT_EQ(redis.run(twos), "*2\r\n$1\r\n2\r\n$2\r\n22\r\n");
  ListKeys escaped(kJobPrefix, "x\\*");
  EXPECT_EQ(redis.run(escaped), "*1\r\n$2\r\nx*\r\n");
  ListKeys none(kJobPrefix, "nothing");
  EXPECT_EQ(redis.run(none), "*0\r\n");
}

TEST(KeyspaceJob, RefusesToListKeysOfOthers) {
  ListKeys job(kJobPrefix, "*");
  ASSERT_TRUE(job.next());
  job.answered("*2\r\n$1\r\n0\r\n*1\r\n$7\r\nt:{b}:2\r\n");
  EXPECT_FALSE(job.next());
  EXPECT_TRUE(job.answer(Protocol::kResp2).starts_with("-ERR"));
}

TEST(KeyspaceJob, PicksAnyKey) {
  std::set<std::string> picked;
  SeededRandom random(3);
  for (int i = 0; i < 200; ++i) {
    ScannedRedis redis(kKeys);
    redis.keys_per_step = 100;
    PickRandomKey job(kJobPrefix, random);
    picked.insert(redis.run(job));
  }
  EXPECT_EQ(picked.size(), 5U);
  for (const auto protocol : {Protocol::kResp2, Protocol::kResp3}) {
    ScannedRedis redis({"t:{b}:1"});
    PickRandomKey nothing(kJobPrefix, random);
    EXPECT_EQ(redis.run(nothing, protocol), protocol == Protocol::kResp2 ? "$-1\r\n" : "_\r\n");
  }
}

TEST(KeyspaceJob, RemovesTheKeysOfTheTenantOnly) {
  ScannedRedis redis(kKeys);
  RemoveKeys job(ScanWalk(kJobPrefix, "*"));
  EXPECT_EQ(redis.run(job), "+OK\r\n");
  EXPECT_EQ(redis.keys().size(), 7U);
  for (const std::string& key : redis.keys()) EXPECT_FALSE(key.starts_with(kJobPrefix)) << key;
  EXPECT_FALSE(redis.cleaned_up.empty());
}

TEST(KeyspaceJob, TellsErrorsWithoutThePrefix) {
  SeededRandom random(1);
  ScannedRedis redis(kKeys);
  redis.failure = "-NOPERM t:{a}:*\r\n";
  CountKeys count(kJobPrefix, random);
  EXPECT_EQ(redis.run(count), "-NOPERM *\r\n");
  RemoveKeys remove(ScanWalk(kJobPrefix, "*"));
  EXPECT_EQ(redis.run(remove), "-NOPERM *\r\n");
}

TEST(KeyspaceJob, ScansOnBehalfOfTheClient) {
  ScannedRedis redis(kKeys);
  redis.repeats = false;
  RequestParser parser;
  std::string cursor = "0";
  std::string all;
  do {
    ScanStep job(kJobPrefix,
                 parse(parser, make_request({"SCAN", cursor, "match", "?", "COUNT", "1"})));
    const std::string answer = redis.run(job);
    ASSERT_TRUE(answer.starts_with("*2\r\n$1\r\n")) << answer;
    cursor = answer.substr(8, 1);
    all += answer.substr(11);
  } while (cursor != "0");
  EXPECT_NE(all.find("$1\r\n1\r\n"), std::string::npos);
  EXPECT_NE(all.find("$1\r\n2\r\n"), std::string::npos);
  EXPECT_EQ(all.find("22"), std::string::npos);
}

TEST(KeyspaceJob, PassesOnWhatItDoesNotKnowAboutScan) {
  ScannedRedis redis(kKeys);
  RequestParser parser;
  ScanStep bad(kJobPrefix, parse(parser, make_request({"SCAN", "0", "BAD", "x"})));
  EXPECT_EQ(redis.run(bad), "-ERR syntax error near '*'\r\n");
  // An option without its value must not swallow the pattern.
  ScanStep dangling(kJobPrefix, parse(parser, make_request({"SCAN", "0", "TYPE"})));
  const auto step = dangling.next();
  ASSERT_TRUE(step);
  EXPECT_NE(step->request.find("TYPE\r\n$5\r\nMATCH\r\n$7\r\nt:{a}:*\r\n"), std::string::npos);
}

}  // namespace
}  // namespace partywall::cache
