#include "base/log.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace partywall {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string logged(auto action) {
  testing::internal::CaptureStderr();
  action();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, ALineIsOneJsonObject) {
  const std::string text = logged([] {
    log_info("tenant \"acme\"\nsuspended",
             {{"tenant", "acme"}, {"count", 3}, {"share", 0.5}, {"again", true}});
  });
  const auto line = JsonValue::parse(text);
  ASSERT_TRUE(line.has_value()) << text;
  EXPECT_EQ(*line->find_string("level"), "info");
  EXPECT_EQ(*line->find_string("message"), "tenant \"acme\"\nsuspended");
  EXPECT_EQ(*line->find_string("tenant"), "acme");
  EXPECT_EQ(line->find("count")->as_int64(), 3);
  EXPECT_EQ(line->find("share")->as_double(), 0.5);
  EXPECT_EQ(line->find("again")->as_bool(), true);
  EXPECT_THAT(*line->find_string("time"), testing::MatchesRegex("....-..-..T..:..:...*Z"));
}

TEST(Log, PeersCannotForgeLines) {
  const std::string text = logged([] {
    log_warning("odd peer", {{"user", "x\"}\n{\"level\":\"error\",\"message\":\"forged\""}});
  });
  ASSERT_EQ(lines_of(text).size(), 1U);
  EXPECT_EQ(*JsonValue::parse(text)->find_string("level"), "warning");
}

TEST(Log, LevelsBelowTheChosenOneAreDropped) {
  EXPECT_EQ(logged([] { log_debug("hidden"); }), "");
  set_log_level(LogLevel::kError);
  EXPECT_EQ(logged([] { log_warning("hidden"); }), "");
  EXPECT_NE(logged([] { log_error("shown"); }), "");
  set_log_level(LogLevel::kInfo);
}

TEST(Log, LevelNames) {
  EXPECT_EQ(parse_log_level("debug").value(), LogLevel::kDebug);
  EXPECT_EQ(parse_log_level("error").value(), LogLevel::kError);
  EXPECT_THAT(parse_log_level("verbose").error().message,
              testing::HasSubstr("debug, info, warning or error"));
}

class LineLogTest : public testing::Test {
 protected:
  ~LineLogTest() override { std::filesystem::remove(path_); }
  std::string content() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string path_ = testing::TempDir() + "partywall_line_log_" + std::to_string(::getpid());
};

TEST_F(LineLogTest, KeepsEveryLineUnchangedInOrder) {
  {
    auto log = LineLog::open(path_);
    ASSERT_TRUE(log.has_value());
    for (int i = 0; i < 1'000; ++i) log->write(fmt::format("{{\"n\":{},\"p\":\"100%v %d\"}}", i));
  }
  const auto lines = lines_of(content());
  ASSERT_EQ(lines.size(), 1'000U);
  for (int i = 0; i < 1'000; ++i)
    ASSERT_EQ(lines[static_cast<size_t>(i)], fmt::format("{{\"n\":{},\"p\":\"100%v %d\"}}", i));
}

// Whatever could not be kept was counted.
TEST_F(LineLogTest, CountsWhatItDrops) {
  constexpr int kThreads = 3;
  constexpr int kLines = 20'000;
  uint64_t dropped = 0;
  {
    auto log = LineLog::open(path_);
    ASSERT_TRUE(log.has_value());
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kLines; ++i) log->write("line");
      });
    }
    threads.clear();
    dropped = log->dropped();
  }
  EXPECT_EQ(lines_of(content()).size() + dropped, static_cast<size_t>(kThreads * kLines));
}

TEST(LineLog, AnEmptyPathDiscardsAndABadOneFails) {
  auto none = LineLog::open("");
  ASSERT_TRUE(none.has_value());
  none->write("x");
  EXPECT_EQ(none->dropped(), 0U);
  const auto bad = LineLog::open("/dev/null/x");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().kind, ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace partywall
