#include "sql/server/server_statements.h"

#include <fmt/format.h>

namespace partywall::sql {

std::string ServerStatements::name_of(uint64_t id) const {
  return fmt::format("{}{:x}", prefix_, id);
}

bool ServerStatements::touch(uint64_t id) {
  const auto found = places_.find(id);
  if (found == places_.end()) return false;
  ids_.splice(ids_.begin(), ids_, found->second);
  return true;
}

void ServerStatements::add(uint64_t id) {
  if (prefix_.empty()) prefix_ = fmt::format("pw_{:016x}_", random_.next_u64());
  ids_.push_front(id);
  places_[id] = ids_.begin();
}

void ServerStatements::remove(uint64_t id) {
  const auto found = places_.find(id);
  if (found == places_.end()) return;
  ids_.erase(found->second);
  places_.erase(found);
}

void ServerStatements::forget_all() {
  ids_.clear();
  places_.clear();
  prefix_.clear();
}

}  // namespace partywall::sql
