#pragma once

#include <compare>
#include <functional>
#include <utility>

namespace partywall {

// A value that cannot be confused with another of the same representation:
//   using TenantId = StrongId<Uuid, struct TenantIdTag>;
template <class Value, class Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  explicit constexpr StrongId(Value value) : value_(std::move(value)) {}
  [[nodiscard]] constexpr const Value& value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;

 private:
  Value value_{};
};

}  // namespace partywall

template <class Value, class Tag>
struct std::hash<partywall::StrongId<Value, Tag>> {
  size_t operator()(const partywall::StrongId<Value, Tag>& id) const noexcept {
    return std::hash<Value>()(id.value());
  }
};
