#include "base/metrics.h"

#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

namespace partywall {
namespace {

constexpr MetricFamily kRequests{"requests", MetricType::kCounter, "Requests served."};
constexpr MetricFamily kOpen{"open_connections", MetricType::kGauge, "Connections open now."};
constexpr MetricFamily kDuration{"duration_seconds", MetricType::kHistogram, "Time of a request."};

TEST(MetricWriter, CountersGaugesAndTheEnd) {
  MetricWriter writer;
  writer.family(kRequests);
  writer.sample(uint64_t{18'446'744'073'709'551'615U}, {{"tenant", "acme"}, {"door", "http"}});
  writer.sample(uint64_t{2}, {{"tenant", "globex"}, {"door", "http"}});
  writer.family(kOpen);
  writer.sample(-3);
  EXPECT_EQ(std::move(writer).finish(),
            "# TYPE requests counter\n"
            "# HELP requests Requests served.\n"
            "requests_total{tenant=\"acme\",door=\"http\"} 18446744073709551615\n"
            "requests_total{tenant=\"globex\",door=\"http\"} 2\n"
            "# TYPE open_connections gauge\n"
            "# HELP open_connections Connections open now.\n"
            "open_connections -3\n"
            "# EOF\n");
}

TEST(MetricWriter, AnEmptyExpositionIsOnlyTheEnd) { EXPECT_EQ(MetricWriter().finish(), "# EOF\n"); }

TEST(MetricWriter, EscapesLabelsAndHelp) {
  MetricWriter writer;
  writer.family({"a", MetricType::kGauge, "one\ntwo \"three\" \\"});
  writer.sample(1.5, {{"path", "a\"b\\c\nd"}});
  EXPECT_EQ(std::move(writer).finish(),
            "# TYPE a gauge\n# HELP a one\\ntwo \\\"three\\\" \\\\\n"
            "a{path=\"a\\\"b\\\\c\\nd\"} 1.5\n# EOF\n");
}

TEST(MetricWriter, SpecialNumbers) {
  MetricWriter writer;
  writer.family(kOpen);
  writer.sample(std::numeric_limits<double>::infinity());
  writer.sample(-std::numeric_limits<double>::infinity());
  writer.sample(std::numeric_limits<double>::quiet_NaN());
  const std::string text = std::move(writer).finish();
  EXPECT_NE(text.find("open_connections +Inf\nopen_connections -Inf\nopen_connections NaN\n"),
            std::string::npos);
}

TEST(MetricWriter, HistogramBucketsAreCumulative) {
  Histogram histogram;
  histogram.observe(0.0005);
  histogram.observe(0.001);  // a bound belongs to its bucket
  histogram.observe(0.3);
  histogram.observe(1.0);
  histogram.observe(61);
  MetricWriter writer;
  writer.family(kDuration);
  writer.sample(histogram, {{"tier", "free"}});
  EXPECT_EQ(std::move(writer).finish(),
            "# TYPE duration_seconds histogram\n"
            "# HELP duration_seconds Time of a request.\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.001\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.0025\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.005\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.01\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.025\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.05\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.1\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.25\"} 2\n"
            "duration_seconds_bucket{tier=\"free\",le=\"0.5\"} 3\n"
            "duration_seconds_bucket{tier=\"free\",le=\"1.0\"} 4\n"
            "duration_seconds_bucket{tier=\"free\",le=\"2.5\"} 4\n"
            "duration_seconds_bucket{tier=\"free\",le=\"5.0\"} 4\n"
            "duration_seconds_bucket{tier=\"free\",le=\"15.0\"} 4\n"
            "duration_seconds_bucket{tier=\"free\",le=\"60.0\"} 4\n"
            "duration_seconds_bucket{tier=\"free\",le=\"+Inf\"} 5\n"
            "duration_seconds_count{tier=\"free\"} 5\n"
            "duration_seconds_sum{tier=\"free\"} 62.3015\n"
            "# EOF\n");
}

TEST(MetricWriter, AFamilyWrittenByTwoSourcesIsPutTogether) {
  MetricWriter writer;
  writer.family(kRequests);
  writer.sample(1, {{"door", "http"}});
  writer.family(kOpen);
  writer.sample(5);
  writer.family(kRequests);
  writer.sample(2, {{"door", "sql"}});
  EXPECT_EQ(std::move(writer).finish(),
            "# TYPE requests counter\n# HELP requests Requests served.\n"
            "requests_total{door=\"http\"} 1\nrequests_total{door=\"sql\"} 2\n"
            "# TYPE open_connections gauge\n# HELP open_connections Connections open now.\n"
            "open_connections 5\n# EOF\n");
}

TEST(MetricWriter, MistakesOfTheProgramStopAtOnce) {
  MetricWriter writer;
  EXPECT_THROW(writer.family({"with space", MetricType::kGauge, ""}), std::logic_error);
  EXPECT_THROW(writer.family({"1st", MetricType::kGauge, ""}), std::logic_error);
  EXPECT_THROW(writer.family({"", MetricType::kGauge, ""}), std::logic_error);
  writer.family(kRequests);
  EXPECT_THROW(writer.family({"requests", MetricType::kGauge, ""}), std::logic_error);
  EXPECT_THROW(MetricWriter().sample(1), std::out_of_range);
}

TEST(Histogram, OddDurationsCountAsZeroOrLongest) {
  Histogram histogram;
  histogram.observe(-1);
  histogram.observe(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(histogram.bucket(0), 2U);
  EXPECT_EQ(histogram.sum_seconds(), 0);
  histogram.observe(std::numeric_limits<double>::infinity());
  EXPECT_EQ(histogram.bucket(Histogram::kBucketCount - 1), 1U);
}

TEST(Histogram, AddToSumsWorkers) {
  Histogram one;
  Histogram two;
  Histogram sum;
  one.observe(0.002);
  two.observe(0.002);
  two.observe(10);
  one.add_to(sum);
  two.add_to(sum);
  EXPECT_EQ(sum.bucket(1), 2U);
  EXPECT_EQ(sum.bucket(12), 1U);
  EXPECT_DOUBLE_EQ(sum.sum_seconds(), 10.004);
}

class OneCounter final : public MetricSource {
 public:
  explicit OneCounter(uint64_t value) : value_(value) {}
  void write_metrics(MetricWriter& writer) const override {
    writer.family(kRequests);
    writer.sample(value_);
  }

 private:
  uint64_t value_;
};

TEST(MetricRegistry, RendersWhatIsRegistered) {
  MetricRegistry registry;
  const OneCounter one(1);
  const OneCounter two(2);
  registry.add(one);
  registry.add(two);
  EXPECT_NE(registry.render().find("requests_total 1\nrequests_total 2\n# EOF\n"),
            std::string::npos);
  registry.remove(one);
  registry.remove(two);
  EXPECT_EQ(registry.render(), "# EOF\n");
}

}  // namespace
}  // namespace partywall
