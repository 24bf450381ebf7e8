#include "cache/subscriptions.h"

#include <algorithm>
#include <utility>

namespace partywall::cache {

size_t Subscriptions::subscribe(Family family, const Request& request) {
  auto& names = names_[std::to_underlying(family)];
  ArgumentCursor cursor(request);
  cursor.next();
  while (const auto name = cursor.next()) names.emplace(*name);
  return request.argument_count - 1;
}

size_t Subscriptions::unsubscribe(Family family, const Request& request) {
  auto& names = names_[std::to_underlying(family)];
  if (request.argument_count == 1) return std::max<size_t>(1, std::exchange(names, {}).size());
  ArgumentCursor cursor(request);
  cursor.next();
  while (const auto name = cursor.next()) names.erase(std::string(*name));
  return request.argument_count - 1;
}

size_t Subscriptions::count() const {
  return names_[0].size() + names_[1].size() + names_[2].size();
}

Subscriptions::Family subscription_family(std::string_view command) {
  if (command.starts_with('p')) return Subscriptions::Family::kPatterns;
  return command.starts_with("ss") || command.starts_with("sun")
             ? Subscriptions::Family::kShardChannels
             : Subscriptions::Family::kChannels;
}

}  // namespace partywall::cache
