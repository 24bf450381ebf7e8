#include "fleet/simulate/load_series.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "base/text.h"

namespace partywall::fleet {
namespace {

constexpr size_t kMostSteps = 10'000'000;

struct Point {
  WallTime at;
  double value;
};

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "2014-04-10 00:04:00", a "T" in the middle and a "Z" at the end are fine too.
std::optional<WallTime> parse_timestamp(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = whole_number<int>(text.substr(0, 4));
  const auto month = whole_number<unsigned>(text.substr(5, 2));
  const auto day = whole_number<unsigned>(text.substr(8, 2));
  const auto hour = whole_number<int>(text.substr(11, 2));
  const auto minute = whole_number<int>(text.substr(14, 2));
  const auto second = whole_number<int>(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second);
}

Result<std::vector<Point>> parse_points(std::string_view text, const std::string& name) {
  std::vector<Point> points;
  size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || number == 1) continue;  // the header
    const size_t comma = line.find(',');
    const auto at = parse_timestamp(line.substr(0, std::min(comma, line.size())));
    const auto value = comma == std::string_view::npos
                           ? std::nullopt
                           : whole_number<double>(line.substr(comma + 1));
    if (!at || !value || !(*value >= 0) || !std::isfinite(*value)) {
      return fail(ErrorKind::kInvalid,
                  "{}:{}: not \"YYYY-MM-DD HH:MM:SS,NUMBER\" with a number of at least 0", name,
                  number);
    }
    points.push_back({*at, *value});
  }
  if (points.size() < 2) {
    return fail(ErrorKind::kInvalid, "{}: a trace needs a header and at least two lines", name);
  }
  std::ranges::sort(points, {}, &Point::at);  // equal times are added up in any order
  return points;
}

// The distance that most neighbours have.
milliseconds usual_step(const std::vector<Point>& points) {
  std::map<milliseconds, size_t> steps;
  for (size_t i = 1; i < points.size(); ++i) {
    const milliseconds step = points[i].at - points[i - 1].at;
    if (step > milliseconds::zero()) ++steps[step];
  }
  if (steps.empty()) return milliseconds::zero();
  return std::ranges::max_element(steps, {}, [](const auto& entry) { return entry.second; })->first;
}

}  // namespace

double LoadSeries::total() const { return std::accumulate(requests.begin(), requests.end(), 0.0); }

Result<LoadSeries> parse_load_csv(std::string name, std::string_view text) {
  const auto points = parse_points(text, name);
  if (!points) return std::unexpected(points.error());
  LoadSeries series{.name = std::move(name), .start = points->front().at};
  // In milliseconds, of which centuries fit into 64 bits.
  const milliseconds step = usual_step(*points);
  if (step == milliseconds::zero()) {
    return fail(ErrorKind::kInvalid, "{}: all lines have the same timestamp", series.name);
  }
  const auto index_of = [&](WallTime at) {
    // To the nearest step, so that a clock that drifts by seconds leaves no gap.
    return static_cast<size_t>((at - series.start + step / 2) / step);
  };
  series.step = step;
  const size_t count = index_of(points->back().at) + 1;
  if (count > kMostSteps) {
    return fail(ErrorKind::kLimit, "{}: {} steps of {} are more than {}", series.name, count,
                format_duration(series.step), kMostSteps);
  }
  series.requests.resize(count);
  for (const Point& point : *points) series.requests[index_of(point.at)] += point.value;
  return series;
}

Result<LoadSeries> sum_of(const std::vector<LoadSeries>& series, std::string name) {
  if (series.empty()) return fail(ErrorKind::kInvalid, "no series to add up");
  LoadSeries sum{
      .name = std::move(name), .start = series.front().start, .step = series.front().step};
  for (const LoadSeries& one : series) sum.start = std::min(sum.start, one.start);
  for (const LoadSeries& one : series) {
    if (one.step != sum.step) {
      return fail(ErrorKind::kInvalid, "{} has steps of {}, {} of {}: they cannot be added up",
                  series.front().name, format_duration(sum.step), one.name,
                  format_duration(one.step));
    }
    const auto offset = static_cast<size_t>((one.start - sum.start + sum.step / 2) / sum.step);
    if (offset + one.requests.size() > kMostSteps) {
      return fail(ErrorKind::kLimit, "{}: its end is more than {} steps after the first start",
                  one.name, kMostSteps);
    }
    sum.requests.resize(std::max(sum.requests.size(), offset + one.requests.size()));
    for (size_t i = 0; i < one.requests.size(); ++i) sum.requests[offset + i] += one.requests[i];
  }
  return sum;
}

LoadSeries smoothed(const LoadSeries& series, Duration step) {
  const auto parts = static_cast<size_t>(series.step / std::max(step, Duration(1)));
  if (parts <= 1) return series;
  LoadSeries fine{.name = series.name,
                  .start = series.start,
                  .step = series.step / static_cast<int64_t>(parts)};
  fine.requests.reserve(series.requests.size() * parts);
  const size_t count = series.requests.size();
  for (size_t i = 0; i < count; ++i) {
    const double here = series.requests[i];
    const double before = series.requests[i > 0 ? i - 1 : i];
    const double after = series.requests[i + 1 < count ? i + 1 : i];
    for (size_t part = 0; part < parts; ++part) {
      const double offset = (static_cast<double>(part) + 0.5) / static_cast<double>(parts) - 0.5;
      const double rate =
          offset < 0 ? here + (here - before) * offset : here + (after - here) * offset;
      fine.requests.push_back(rate / static_cast<double>(parts));
    }
  }
  const double drawn = fine.total();
  if (drawn > 0) {
    const double correction = series.total() / drawn;
    for (double& requests : fine.requests) requests *= correction;
  }
  return fine;
}

LoadSeries window_of(const LoadSeries& series, size_t first, size_t count) {
  LoadSeries window{.name = series.name, .start = series.start, .step = series.step};
  first = std::min(first, series.requests.size());
  count = std::min(count, series.requests.size() - first);
  window.start +=
      std::chrono::duration_cast<milliseconds>(series.step * static_cast<int64_t>(first));
  const auto begin = series.requests.begin() + static_cast<std::ptrdiff_t>(first);
  window.requests.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  return window;
}

}  // namespace partywall::fleet
