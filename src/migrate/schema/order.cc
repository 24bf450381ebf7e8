#include "migrate/schema/order.h"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace partywall::migrate {

Result<std::vector<std::string>> ordered_by_use(
    const std::vector<std::string>& objects,
    const std::set<std::pair<std::string, std::string>>& uses) {
  std::map<std::string, size_t> place;
  for (const std::string& object : objects) place.emplace(object, place.size());
  std::vector<size_t> waits_for(objects.size(), 0);
  std::vector<std::vector<size_t>> users(objects.size());
  for (const auto& [user, used] : uses) {
    const auto from = place.find(user);
    const auto to = place.find(used);
    if (from == place.end() || to == place.end() || from == to) continue;
    ++waits_for[from->second];
    users[to->second].push_back(from->second);
  }
  std::set<size_t> ready;
  for (size_t i = 0; i < objects.size(); ++i) {
    if (waits_for[i] == 0) ready.insert(i);
  }
  std::vector<std::string> ordered;
  while (!ready.empty()) {
    const size_t next = *ready.begin();
    ready.erase(ready.begin());
    ordered.push_back(objects[next]);
    for (const size_t user : users[next]) {
      if (--waits_for[user] == 0) ready.insert(user);
    }
  }
  if (ordered.size() == objects.size()) return ordered;
  std::vector<std::string> left;
  for (size_t i = 0; i < objects.size(); ++i) {
    if (waits_for[i] > 0) left.push_back(objects[i]);
  }
  return fail(ErrorKind::kInvalid, "these objects are made of each other, in a circle: {}",
              fmt::join(left, ", "));
}

}  // namespace partywall::migrate
