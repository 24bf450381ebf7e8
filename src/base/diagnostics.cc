#include "base/diagnostics.h"

#include <algorithm>

namespace partywall {

std::string_view to_string(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

std::string to_string(const Diagnostic& diagnostic, std::string_view file) {
  const auto [line, column] = diagnostic.where;
  if (line == 0) {
    return fmt::format("{}: {}: {}", file, to_string(diagnostic.severity), diagnostic.message);
  }
  return fmt::format("{}:{}:{}: {}: {}", file, line, column, to_string(diagnostic.severity),
                     diagnostic.message);
}

void Diagnostics::add(Severity severity, SourcePosition where, std::string message) {
  ++(severity == Severity::kError ? errors_ : warnings_);
  if (items_.size() >= most_) return;
  const auto behind = std::ranges::upper_bound(items_, where, {}, &Diagnostic::where);
  items_.insert(behind, {severity, where, std::move(message)});
}

}  // namespace partywall
