#include "embedded/tour/report.h"

#include <unistd.h>

namespace partywall::embedded {

TourReport::TourReport(std::FILE* out) : out_(out), coloured_(::isatty(::fileno(out)) == 1) {}

void TourReport::heading(std::string_view title) {
  ++headings_;
  const std::string text = fmt::format("{}. {}", headings_, title);
  if (coloured_) {
    fmt::print(out_, "\n\033[1m{}\033[0m\n", text);
  } else {
    fmt::print(out_, "\n{}\n", text);
  }
  std::fflush(out_);
}

bool TourReport::show(bool as_promised, const std::string& text) {
  ++shown_;
  if (!as_promised) ++failures_;
  const std::string_view mark = as_promised ? "ok    " : "FAILED";
  const std::string_view colour = as_promised ? "\033[32m" : "\033[31m";
  if (coloured_) {
    fmt::print(out_, "   {}{}\033[0m {}\n", colour, mark, text);
  } else {
    fmt::print(out_, "   {} {}\n", mark, text);
  }
  std::fflush(out_);
  return as_promised;
}

}  // namespace partywall::embedded
