#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace partywall::embedded {

// Tells a person what the tour does and sees, as it goes, and counts what did not go as it should.
class TourReport {
 public:
  explicit TourReport(std::FILE* out);

  void heading(std::string_view title);

  // Something that was to be shown: `as_promised` is what decides, the text says what was seen.
  template <class... Arguments>
  bool saw(bool as_promised, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    return show(as_promised, fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  [[nodiscard]] int shown() const { return shown_; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  bool show(bool as_promised, const std::string& text);

  std::FILE* out_;
  bool coloured_ = false;
  int headings_ = 0;
  int shown_ = 0;
  int failures_ = 0;
};

}  // namespace partywall::embedded
