#include "sql/prepared_statement.h"

namespace partywall::sql {

PreparedStatementRef PreparedStatementStore::intern(std::string_view definition, SqlSyntax syntax) {
  std::string key(definition);
  key.push_back(static_cast<char>(syntax.standard_conforming_strings));
  key.push_back(static_cast<char>(syntax.ascii_safe_encoding));
  if (const auto found = state_->by_key.find(key); found != state_->by_key.end()) {
    return found->second.lock();
  }
  auto statement = std::make_unique<PreparedStatement>();
  statement->id = ++state_->last_id;
  statement->definition = definition;
  statement->shape = read_query_shape(query_of(statement->definition), syntax);
  const auto [place, inserted] =
      state_->by_key.emplace(std::move(key), std::weak_ptr<const PreparedStatement>());
  // The key's string never moves, whatever else the table holds.
  PreparedStatementRef shared(statement.release(),
                              [state = state_, key_text = std::string_view(place->first)](
                                  const PreparedStatement* dropped) {
                                state->by_key.erase(state->by_key.find(std::string(key_text)));
                                delete dropped;
                              });
  place->second = shared;
  return shared;
}

void PreparedStatementStore::for_each(
    const std::function<void(const PreparedStatement&, long holders)>& visit) const {
  for (const auto& [key, weak] : state_->by_key) {
    if (const PreparedStatementRef statement = weak.lock())
      visit(*statement, statement.use_count() - 1);
  }
}

}  // namespace partywall::sql
