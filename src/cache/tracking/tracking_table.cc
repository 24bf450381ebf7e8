#include "cache/tracking/tracking_table.h"

#include <algorithm>
#include <utility>

namespace partywall::cache {

std::optional<TrackingTable::GivenUp> TrackingTable::remember(std::string_view key,
                                                              uint64_t client) {
  if (const auto found = keys_.find(key); found != keys_.end()) {
    auto& clients = found->second;
    if (std::ranges::find(clients, client) == clients.end()) clients.push_back(client);
    return std::nullopt;
  }
  std::optional<GivenUp> given_up;
  if (keys_.size() >= max_keys_) {
    const auto any = keys_.begin();
    given_up = GivenUp{.key = any->first, .clients = std::move(any->second)};
    keys_.erase(any);
  }
  keys_.emplace(std::string(key), std::vector<uint64_t>{client});
  return given_up;
}

std::vector<uint64_t> TrackingTable::take(std::string_view key) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return {};
  std::vector<uint64_t> clients = std::move(found->second);
  keys_.erase(found);
  return clients;
}

void TrackingTable::forget(std::string_view key, uint64_t client) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  std::erase(found->second, client);
  if (found->second.empty()) keys_.erase(found);
}

}  // namespace partywall::cache
