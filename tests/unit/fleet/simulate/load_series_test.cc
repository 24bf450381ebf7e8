#include "fleet/simulate/load_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall::fleet {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LoadCsv, ReadsStepsFillsGapsAndAddsRepetitions) {
  const auto series = parse_load_csv("t",
                                     "time,value\n"
                                     "2024-01-01 00:00:00,1\r\n"
                                     "2024-01-01T00:01:00Z,2.5\n"
                                     "2024-01-01 00:02:00,3\n"
                                     "2024-01-01 00:02:00,4\n"
                                     "2024-01-01 00:05:01,5\n");
  ASSERT_TRUE(series) << series.error().message;
  EXPECT_EQ(series->step, minutes(1));
  EXPECT_THAT(series->requests, ElementsAre(1, 2.5, 7, 0, 0, 5));
}

TEST(LoadCsv, SaysWhichLineIsWrong) {
  const auto error_of = [](std::string_view text) {
    const auto series = parse_load_csv("trace.csv", text);
    return series ? std::string() : series.error().message;
  };
  EXPECT_THAT(error_of("h\n2024-01-01 00:00:00,1\n2024-13-01 00:00:00,1\n"),
              HasSubstr("trace.csv:3"));
  EXPECT_THAT(error_of("h\n2024-01-01 00:00:00,-1\n"), HasSubstr("trace.csv:2"));
  EXPECT_THAT(error_of("h\n2024-01-01 00:00:00,nan\n"), HasSubstr("trace.csv:2"));
  EXPECT_THAT(error_of("h\n2024-01-01 00:00:00\n"), HasSubstr("trace.csv:2"));
  EXPECT_THAT(error_of("h\n2024-01-01 00:00:00,1\n"), HasSubstr("two lines"));
  EXPECT_THAT(error_of("h\n2024-01-01 00:00:00,1\n2024-01-01 00:00:00,1\n"),
              HasSubstr("same timestamp"));
  EXPECT_THAT(error_of("h\n1024-01-01 00:00:00,1\n1024-01-01 00:00:01,1\n2024-01-01 00:00:00,1\n"),
              HasSubstr("more than"));
}

TEST(LoadSeries, SumsFromTheFirstStartToTheLastEnd) {
  const LoadSeries a{.name = "a", .start = WallTime(minutes(0)), .requests = {1, 1}};
  const LoadSeries b{.name = "b", .start = WallTime(minutes(1)), .requests = {10, 10, 10}};
  const auto sum = sum_of({a, b}, "both");
  ASSERT_TRUE(sum);
  EXPECT_THAT(sum->requests, ElementsAre(1, 11, 10, 10));
  EXPECT_FALSE(sum_of({a, LoadSeries{.step = minutes(5), .requests = {1}}}, "odd"));
}

TEST(LoadSeries, SmoothingKeepsTheTotalAndDrawsStraightLines) {
  const LoadSeries coarse{.step = minutes(1), .requests = {0, 60, 0}};
  const LoadSeries fine = smoothed(coarse, seconds(15));
  ASSERT_EQ(fine.requests.size(), 12U);
  EXPECT_EQ(fine.step, seconds(15));
  EXPECT_THAT(fine.total(), DoubleNear(coarse.total(), 1e-9));
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_LE(i == 0 ? 0 : fine.requests[i - 1], fine.requests[i]) << "rises to the middle";
    EXPECT_NEAR(fine.requests[i], fine.requests[11 - i], 1e-9) << "and falls as it rose";
  }
  EXPECT_EQ(smoothed(coarse, minutes(5)).requests.size(), 3U) << "never coarser";
}

TEST(LoadSeries, AWindowStartsWhenItStarts) {
  const LoadSeries series{.start = WallTime(minutes(0)), .requests = {1, 2, 3, 4}};
  const LoadSeries window = window_of(series, 1, 2);
  EXPECT_THAT(window.requests, ElementsAre(2, 3));
  EXPECT_EQ(window.start, WallTime(minutes(1)));
  EXPECT_TRUE(window_of(series, 9, 2).requests.empty());
}

}  // namespace
}  // namespace partywall::fleet
