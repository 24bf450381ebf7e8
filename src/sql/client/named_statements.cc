#include "sql/client/named_statements.h"

namespace partywall::sql {
namespace {

size_t bytes_of(std::string_view name, const PreparedStatement& statement) {
  return name.size() + statement.definition.size() + sizeof(PreparedStatement);
}

}  // namespace

PreparedStatementRef NamedStatements::find(std::string_view name) const {
  const auto found = statements_.find(std::string(name));
  return found == statements_.end() ? nullptr : found->second;
}

void NamedStatements::add(std::string_view name, PreparedStatementRef statement) {
  const size_t bytes = bytes_of(name, *statement);
  if (statements_.emplace(name, std::move(statement)).second) bytes_ += bytes;
}

PreparedStatementRef NamedStatements::remove(std::string_view name) {
  const auto found = statements_.find(std::string(name));
  if (found == statements_.end()) return nullptr;
  PreparedStatementRef removed = std::move(found->second);
  bytes_ -= bytes_of(name, *removed);
  statements_.erase(found);
  return removed;
}

void NamedStatements::clear() {
  statements_.clear();
  bytes_ = 0;
}

}  // namespace partywall::sql
