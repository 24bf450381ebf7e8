#include "policy/client_seats.h"

namespace partywall {

std::optional<ClientSeats::Units> ClientSeats::take(TenantNumber number) {
  const std::lock_guard lock(mutex_);
  const auto place = taken_.try_emplace(number, 0).first;
  if (place->second >= limit_) return std::nullopt;
  ++place->second;
  return Units(this, number);
}

void ClientSeats::give_back(TenantNumber number) {
  const std::lock_guard lock(mutex_);
  const auto place = taken_.find(number);
  if (--place->second == 0) taken_.erase(place);
}

}  // namespace partywall
