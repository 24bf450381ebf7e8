#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "sql/prepared_statement.h"

namespace partywall::sql {

// The prepared statements of one client that have a name, and how much memory they take.
class NamedStatements {
 public:
  // nullptr: there is none of that name.
  [[nodiscard]] PreparedStatementRef find(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const { return find(name) != nullptr; }
  // There is none of that name yet.
  void add(std::string_view name, PreparedStatementRef statement);
  // nullptr: there was none.
  PreparedStatementRef remove(std::string_view name);
  void clear();
  [[nodiscard]] size_t size() const { return statements_.size(); }
  // As if no other client had prepared the same.
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::unordered_map<std::string, PreparedStatementRef> statements_;
  size_t bytes_ = 0;
};

}  // namespace partywall::sql
