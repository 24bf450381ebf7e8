#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

// What is wrong with a file that a person wrote: all of it, each with its place, so that it can be
// mended in one go.
namespace partywall {

// 1-based; columns count bytes, as compilers do. Line 0 means the file as a whole.
struct SourcePosition {
  uint32_t line = 0;
  uint32_t column = 0;

  auto operator<=>(const SourcePosition&) const = default;
};

enum class Severity { kError, kWarning };

std::string_view to_string(Severity severity);

struct Diagnostic {
  Severity severity = Severity::kError;
  SourcePosition where;
  std::string message;

  bool operator==(const Diagnostic&) const = default;
};

// Compiler style: "platform.yaml:12:5: error: unknown key 'teir'; did you mean 'tier'?"
std::string to_string(const Diagnostic& diagnostic, std::string_view file);

// Collects them. Bounded: what comes after the first `most` is only counted.
class Diagnostics {
 public:
  explicit Diagnostics(size_t most = 100) : most_(most) {}

  void add(Severity severity, SourcePosition where, std::string message);

  template <class... Arguments>
  void error(SourcePosition where, fmt::format_string<Arguments...> text,
             Arguments&&... arguments) {
    add(Severity::kError, where, fmt::format(text, std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  void warning(SourcePosition where, fmt::format_string<Arguments...> text,
               Arguments&&... arguments) {
    add(Severity::kWarning, where, fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] size_t errors() const { return errors_; }      // also those left out
  [[nodiscard]] size_t warnings() const { return warnings_; }  // also those left out
  [[nodiscard]] size_t left_out() const { return errors_ + warnings_ - items_.size(); }
  // In the order of the file.
  [[nodiscard]] const std::vector<Diagnostic>& items() const { return items_; }

 private:
  size_t most_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
  std::vector<Diagnostic> items_;
};

}  // namespace partywall
