#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace partywall {

// Bytes that must not reach a log: they cannot be formatted, compare in constant time, and are
// wiped when dropped. reveal() is the one way out; keep its result as short-lived as possible.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  [[nodiscard]] std::string_view reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  [[nodiscard]] bool equals(std::string_view candidate) const;

 private:
  void wipe();

  std::string value_;
};

}  // namespace partywall
