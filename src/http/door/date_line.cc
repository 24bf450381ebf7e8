#include "http/door/date_line.h"

#include <array>

#include <fmt/format.h>

namespace partywall::http {

std::string_view DateLine::at(WallTime now) {
  const auto second = std::chrono::floor<seconds>(now);
  if (second == second_) return text_;
  second_ = second;
  // Not by strftime: the names must not follow a locale.
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  text_ = fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                      kDays[std::chrono::weekday(day).c_encoding()], unsigned(date.day()),
                      kMonths[unsigned(date.month()) - 1], int(date.year()), time.hours().count(),
                      time.minutes().count(), time.seconds().count());
  return text_;
}

}  // namespace partywall::http
