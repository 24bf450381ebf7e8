#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Our own counters with an OpenMetrics 1.0 writer. A component declares its families in one table
// (MetricFamily), keeps plain Counters in arrays, and writes them when it is asked to: nothing is
// looked up by name where it counts.
namespace partywall {

// Written by one thread, read by any: no locked instruction.
class Counter {
 public:
  void add(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Written by one thread, read by any. Durations in seconds, in buckets from 1 ms to 60 s.
class Histogram {
 public:
  static constexpr std::array<double, 14> kUpperBounds = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0};
  static constexpr size_t kBucketCount = kUpperBounds.size() + 1;  // the last one has no bound

  // Negative times and NaN count as 0.
  void observe(double seconds);
  // Adds this to `sum`, which the calling thread owns: so the histograms of several workers become
  // one.
  void add_to(Histogram& sum) const;
  [[nodiscard]] uint64_t bucket(size_t index) const {
    return buckets_[index].value();
  }  // not cumulative
  [[nodiscard]] double sum_seconds() const { return static_cast<double>(sum_ns_.value()) / 1e9; }

 private:
  std::array<Counter, kBucketCount> buckets_;
  Counter sum_ns_;
};

enum class MetricType { kCounter, kGauge, kHistogram };

struct MetricFamily {
  std::string_view name;  // without the _total of a counter; outlives the writer
  MetricType type = MetricType::kCounter;
  std::string_view help;
};

using MetricLabel = std::pair<std::string_view, std::string_view>;
using MetricLabels = std::span<const MetricLabel>;

// Collects samples and writes them as OpenMetrics 1.0 text. Sources may write the same family, one
// after the other: its samples are put together, as the format demands.
class MetricWriter {
 public:
  // The samples that follow belong to this family. Throws std::logic_error if the name is not a
  // metric name or was used with another type.
  void family(const MetricFamily& family);

  void sample(double value, MetricLabels labels);
  void sample(uint64_t value, MetricLabels labels);
  void sample(const Histogram& histogram, MetricLabels labels);

  template <std::integral Integer>
    requires(!std::same_as<Integer, uint64_t>)
  void sample(Integer value, MetricLabels labels) {
    sample(static_cast<double>(value), labels);
  }
  // sample(7, {{"tenant", slug}})
  template <class Value>
  void sample(const Value& value, std::initializer_list<MetricLabel> labels = {}) {
    sample(value, MetricLabels(labels.begin(), labels.size()));
  }

  // The whole exposition, closed with "# EOF".
  std::string finish() &&;

 private:
  struct Collected {
    MetricFamily family;
    std::string samples;
  };

  void line(std::string_view suffix, MetricLabels labels, const MetricLabel* extra,
            std::string_view value);

  std::vector<Collected> families_;  // in the order of their first use
  std::map<std::string_view, size_t> index_;
  size_t current_ = 0;
};

class MetricSource {
 public:
  virtual ~MetricSource() = default;
  // From the admin thread, while others count.
  virtual void write_metrics(MetricWriter& writer) const = 0;
};

// The sources of a process. Sources must be removed before they are destroyed.
class MetricRegistry {
 public:
  void add(const MetricSource& source);
  void remove(const MetricSource& source);
  [[nodiscard]] std::string render() const;

 private:
  mutable std::mutex mutex_;
  std::vector<const MetricSource*> sources_;
};

inline constexpr std::string_view kOpenMetricsContentType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

}  // namespace partywall
