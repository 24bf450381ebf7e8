#include "migrate/schema/difference.h"

#include "migrate/schema/difference_parts.h"

namespace partywall::migrate {
namespace {

// "view public.film_list" and whatever is made of views: they come after the tables' keys.
std::set<std::string> made_of_views(const Catalog& catalog) {
  std::set<std::string> names;
  for (const View& view : catalog.views) names.insert("view " + view.name);
  for (const std::string& object : catalog.order) {
    const bool uses_one = std::ranges::any_of(catalog.uses, [&](const auto& use) {
      return use.first == object && names.contains(use.second);
    });
    if (uses_one) names.insert(object);
  }
  return names;
}

void compare_object(const Comparison& comparison, const std::string& object) {
  const size_t space = object.find(' ');
  const std::string kind = object.substr(0, space);
  const std::string name = object.substr(space + 1);
  const Catalog& wanted = comparison.wanted;
  if (kind == "table") {
    if (const Table* table = wanted.find_table(name)) compare_columns(comparison, *table);
  } else if (kind == "type") {
    if (const Type* type = find_named(wanted.types, name)) compare_type(comparison, *type);
  } else if (kind == "routine") {
    if (const Routine* routine = find_named(wanted.routines, name, &Routine::signature))
      compare_routine(comparison, *routine);
  } else if (const View* view = find_named(wanted.views, name)) {
    compare_view(comparison, *view);
  }
}

size_t depth_of(const Catalog& catalog, const Table& table) {
  const Table* parent = table.parent.empty() ? nullptr : catalog.find_table(table.parent);
  return parent == nullptr ? 0 : 1 + depth_of(catalog, *parent);
}

// A key of a partitioned table takes in those that its partitions have already, with their names;
// and one that is attached to a table with keys is given those that it has not, with other names.
// So each partition has its keys first, then is attached, then comes what it is a part of.
std::vector<const Table*> partitions_first(const Catalog& catalog) {
  std::vector<std::pair<size_t, const Table*>> by_depth;
  for (const Table& table : catalog.tables) by_depth.emplace_back(depth_of(catalog, table), &table);
  // Equally deep ones stay in their order: they lie one after another.
  std::ranges::sort(by_depth, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<const Table*> tables;
  for (const auto& [depth, table] : by_depth) tables.push_back(table);
  return tables;
}

}  // namespace

Difference find_difference(const Catalog& wanted, const Catalog& present) {
  Difference difference;
  const Comparison comparison{wanted, present, difference};
  compare_schemas(comparison);
  compare_sequences(comparison);
  const auto late = made_of_views(wanted);
  for (const std::string& object : wanted.order) {
    if (!late.contains(object)) compare_object(comparison, object);
  }
  for (const Table& table : wanted.tables) compare_defaults(comparison, table);
  for (const Table& table : wanted.tables) compare_checks(comparison, table);
  for (const Table* table : partitions_first(wanted)) {
    compare_keys(comparison, *table);
    compare_attachment(comparison, *table);
  }
  compare_references(comparison);
  for (const std::string& object : wanted.order) {
    if (late.contains(object)) compare_object(comparison, object);
  }
  compare_triggers(comparison);
  compare_comments(comparison);
  compare_grants(comparison);
  find_surplus_tables(comparison);
  return difference;
}

}  // namespace partywall::migrate
