#pragma once

#include <algorithm>

#include "migrate/schema/difference.h"

// The parts of find_difference. Each adds its steps, refusals and what is surplus.
namespace partywall::migrate {

struct Comparison {
  const Catalog& wanted;
  const Catalog& present;
  Difference& difference;

  void add(std::string sql, std::string reason, StepKind kind = StepKind::kOther) const {
    difference.steps.push_back({std::move(sql), std::move(reason), kind});
  }
  void refuse(std::string object, std::string message, std::string remedy) const {
    difference.refusals.push_back(
        {sql::FindingLevel::kError, std::move(object), std::move(message), std::move(remedy)});
  }
  void surplus(std::string object, std::string message) const {
    difference.surplus.push_back(
        {sql::FindingLevel::kWarning, std::move(object), std::move(message), ""});
  }
};

// nullptr: there is none.
template <class Object>
const Object* find_named(const std::vector<Object>& objects, const std::string& name,
                         std::string Object::* key = &Object::name) {
  const auto found = std::ranges::find(objects, name, key);
  return found == objects.end() ? nullptr : &*found;
}

void compare_schemas(const Comparison& comparison);
void compare_sequences(const Comparison& comparison);
void compare_type(const Comparison& comparison, const Type& type);
void compare_routine(const Comparison& comparison, const Routine& routine);
void compare_view(const Comparison& comparison, const View& view);
void compare_triggers(const Comparison& comparison);
void compare_comments(const Comparison& comparison);
void compare_grants(const Comparison& comparison);

// The table with its columns; defaults and all the rest come later, because they may use functions
// that use the table.
void compare_columns(const Comparison& comparison, const Table& table);
void compare_defaults(const Comparison& comparison, const Table& table);
void compare_checks(const Comparison& comparison, const Table& table);
void compare_attachment(const Comparison& comparison, const Table& table);
void compare_keys(const Comparison& comparison, const Table& table);
// Of all tables.
void compare_references(const Comparison& comparison);
void find_surplus_tables(const Comparison& comparison);

}  // namespace partywall::migrate
