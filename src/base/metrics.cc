#include "base/metrics.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

namespace partywall {
namespace {

std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "unknown";
}

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_metric_name(std::string_view name) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == ':'; };
  return !name.empty() && !is_digit(name.front()) && std::ranges::all_of(name, allowed);
}

// OpenMetrics 1.0 "escaped-string": backslash, quote and line feed.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

void append_label(std::string& out, const MetricLabel& label) {
  out += label.first;
  out += "=\"";
  append_escaped(out, label.second);
  out += '"';
}

std::string to_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

// A bucket bound in the canonical form of OpenMetrics: always with a decimal point.
std::string bound_text(size_t bucket) {
  if (bucket >= Histogram::kUpperBounds.size()) return "+Inf";
  std::string text = fmt::format("{}", Histogram::kUpperBounds[bucket]);
  if (!text.contains('.')) text += ".0";
  return text;
}

}  // namespace

void Histogram::observe(double seconds) {
  const double counted = seconds > 0 ? seconds : 0;
  const auto bound = std::ranges::lower_bound(kUpperBounds, counted);
  buckets_[static_cast<size_t>(bound - kUpperBounds.begin())].add();
  constexpr double kLongestCounted = 1e9;  // seconds; the sum is kept in 64-bit nanoseconds
  sum_ns_.add(static_cast<uint64_t>(std::min(counted, kLongestCounted) * 1e9));
}

void Histogram::add_to(Histogram& sum) const {
  for (size_t i = 0; i < kBucketCount; ++i) sum.buckets_[i].add(buckets_[i].value());
  sum.sum_ns_.add(sum_ns_.value());
}

void MetricWriter::family(const MetricFamily& family) {
  if (!is_metric_name(family.name)) {
    throw std::logic_error(fmt::format("'{}' is not a metric name", family.name));
  }
  const auto [entry, added] = index_.try_emplace(family.name, families_.size());
  if (added) families_.push_back({family, {}});
  current_ = entry->second;
  if (families_[current_].family.type != family.type) {
    throw std::logic_error(fmt::format("metric {} is written with two types", family.name));
  }
}

void MetricWriter::sample(double value, MetricLabels labels) {
  line(families_.at(current_).family.type == MetricType::kCounter ? "_total" : "", labels, nullptr,
       to_text(value));
}

void MetricWriter::sample(uint64_t value, MetricLabels labels) {
  const fmt::format_int text(value);
  line(families_.at(current_).family.type == MetricType::kCounter ? "_total" : "", labels, nullptr,
       {text.data(), text.size()});
}

void MetricWriter::sample(const Histogram& histogram, MetricLabels labels) {
  static const std::array<std::string, Histogram::kBucketCount> kBounds = [] {
    std::array<std::string, Histogram::kBucketCount> texts;
    for (size_t i = 0; i < texts.size(); ++i) texts[i] = bound_text(i);
    return texts;
  }();
  // The count is the sum of the buckets as they were read here, so that it equals the last bucket
  // even while the owner keeps counting.
  uint64_t count = 0;
  for (size_t i = 0; i < Histogram::kBucketCount; ++i) {
    count += histogram.bucket(i);
    const MetricLabel bound{"le", kBounds[i]};
    line("_bucket", labels, &bound, fmt::format_int(count).c_str());
  }
  line("_count", labels, nullptr, fmt::format_int(count).c_str());
  line("_sum", labels, nullptr, to_text(histogram.sum_seconds()));
}

void MetricWriter::line(std::string_view suffix, MetricLabels labels, const MetricLabel* extra,
                        std::string_view value) {
  Collected& collected = families_.at(current_);
  std::string& out = collected.samples;
  out += collected.family.name;
  out += suffix;
  if (!labels.empty() || extra != nullptr) {
    char separator = '{';
    for (const MetricLabel& label : labels) {
      out += std::exchange(separator, ',');
      append_label(out, label);
    }
    if (extra != nullptr) {
      out += separator;
      append_label(out, *extra);
    }
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

std::string MetricWriter::finish() && {
  std::string out;
  for (const Collected& collected : families_) {
    const MetricFamily& family = collected.family;
    out += fmt::format("# TYPE {} {}\n", family.name, type_name(family.type));
    out += fmt::format("# HELP {} ", family.name);
    append_escaped(out, family.help);
    out += '\n';
    out += collected.samples;
  }
  return out + "# EOF\n";
}

void MetricRegistry::add(const MetricSource& source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(&source);
}

void MetricRegistry::remove(const MetricSource& source) {
  const std::lock_guard lock(mutex_);
  std::erase(sources_, &source);
}

std::string MetricRegistry::render() const {
  MetricWriter writer;
  const std::lock_guard lock(mutex_);
  for (const MetricSource* source : sources_) source->write_metrics(writer);
  return std::move(writer).finish();
}

}  // namespace partywall
