#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "base/random.h"

namespace partywall::sql {

// Which prepared statements a server connection has, under names that clients cannot reach: made of
// 64 random bits of this connection and the statement's id. Least recently used ones go first.
class ServerStatements {
 public:
  ServerStatements(Random& random, size_t limit) : random_(random), limit_(limit) {}

  // Of one that was added.
  [[nodiscard]] std::string name_of(uint64_t id) const;
  // Is it there (or at least on its way)? Counts as a use.
  bool touch(uint64_t id);
  void add(uint64_t id);
  void remove(uint64_t id);
  // The statement that must be closed before another one is added; 0: none.
  [[nodiscard]] uint64_t surplus() const { return ids_.size() >= limit_ ? ids_.back() : 0; }
  // Forgets them and takes new names from now on: whoever knew the old names can do nothing with
  // them.
  void forget_all();
  [[nodiscard]] const std::list<uint64_t>& ids() const { return ids_; }

 private:
  Random& random_;
  size_t limit_;
  std::string prefix_;       // empty: none of these names was ever used
  std::list<uint64_t> ids_;  // last used first
  std::unordered_map<uint64_t, std::list<uint64_t>::iterator> places_;
};

}  // namespace partywall::sql
