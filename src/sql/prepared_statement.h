#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sql/statement.h"

namespace partywall::sql {

// One text with its parameter types, as clients prepared it, shared by all who prepared the same.
struct PreparedStatement {
  uint64_t id = 0;         // never used again within the worker; 0 is none
  std::string definition;  // as in Parse, behind the statement's name: query, zero byte, types
  QueryShape shape;        // points into the definition
};

// The query of a definition.
[[nodiscard]] inline std::string_view query_of(std::string_view definition) {
  return definition.substr(0, definition.find('\0'));
}

using PreparedStatementRef = std::shared_ptr<const PreparedStatement>;

// The prepared statements of all clients of one worker, each text once.
class PreparedStatementStore {
 public:
  PreparedStatementStore() : state_(std::make_shared<State>()) {}
  PreparedStatementRef intern(std::string_view definition, SqlSyntax syntax);
  // Names an unnamed statement of a client among those of all clients.
  uint64_t next_number() { return ++state_->last_id; }
  [[nodiscard]] size_t size() const { return state_->by_key.size(); }
  // With the number of those who hold it, clients and server connections.
  void for_each(const std::function<void(const PreparedStatement&, long holders)>& visit) const;

 private:
  // Outlives the store while statements do.
  struct State {
    std::unordered_map<std::string, std::weak_ptr<const PreparedStatement>> by_key;
    uint64_t last_id = 0;
  };
  std::shared_ptr<State> state_;
};

}  // namespace partywall::sql
