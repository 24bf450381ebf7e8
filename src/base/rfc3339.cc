#include "base/rfc3339.h"

#include <chrono>

#include <fmt/format.h>

#include "base/text.h"

namespace partywall {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;

// The digits at `begin`; -1 if they are none.
int digits(std::string_view text, size_t begin, size_t count) {
  int value = 0;
  for (const char c : text.substr(begin, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::string format_rfc3339(WallTime time) {
  const auto date = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day ymd(date);
  const std::chrono::hh_mm_ss clock(time - date);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(ymd.year()),
                  static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (clock.subseconds().count() != 0) text += fmt::format(".{:03}", clock.subseconds().count());
  return text + 'Z';
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  constexpr std::string_view kFormMs = "0000-00-00T00:00:00.000Z";
  const auto wrong = [&] {
    return fail(ErrorKind::kInvalid, "{}: a time is written 2026-11-25T22:18:02Z, in UTC", text);
  };
  const std::string_view form = text.size() == kFormMs.size() ? kFormMs : kForm;
  if (text.size() != form.size()) return wrong();
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '0' && form[i] != text[i]) return wrong();
  }
  const int y = digits(text, 0, 4), m = digits(text, 5, 2), d = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const int ms = form == kFormMs ? digits(text, 20, 3) : 0;
  if (y < 1970 || m < 0 || d < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59 || ms < 0) {
    return wrong();
  }
  const auto date = year(y) / month(static_cast<unsigned>(m)) / day(static_cast<unsigned>(d));
  if (!date.ok()) return wrong();
  return WallTime(std::chrono::sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) +
         milliseconds(ms);
}

}  // namespace partywall
