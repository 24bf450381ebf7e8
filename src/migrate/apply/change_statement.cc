#include "migrate/apply/change_statement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace partywall::migrate {
namespace {

class StatementBuilder {
 public:
  explicit StatementBuilder(const Route& route) : route_(route) {}

  // "$3", which stands for that column of that row.
  std::string parameter(FromRow row, size_t column) {
    statement.parameters.push_back({row, column});
    statement.types.push_back(route_.columns[column].type_id);
    return fmt::format("${}", statement.parameters.size());
  }

  // What the row must fulfil besides being the one that is meant.
  [[nodiscard]] std::vector<std::string> tenant_test() const {
    if (!route_.tenant_column) return {};
    return {
        fmt::format("{} OPERATOR(pg_catalog.=) {}", *route_.tenant_column, route_.tenant_constant)};
  }

  std::string key_test(FromRow row) {
    std::vector<std::string> tests = tenant_test();
    for (size_t i = 0; i < route_.columns.size(); ++i) {
      const RoutedColumn& column = route_.columns[i];
      if (!column.is_key) continue;
      tests.push_back(fmt::format("{} {} {}", column.name, column.equals, parameter(row, i)));
    }
    return where(tests);
  }

  // Compared as text, because not every type can be compared otherwise, and NULL is a value here.
  std::string row_test(FromRow row) {
    std::vector<std::string> tests = tenant_test();
    for (size_t i = 0; i < route_.columns.size(); ++i) {
      const RoutedColumn& column = route_.columns[i];
      if (!column.is_key) continue;
      tests.push_back(fmt::format("{}::pg_catalog.text IS NOT DISTINCT FROM {}::pg_catalog.text",
                                  column.name, parameter(row, i)));
    }
    return where(tests);
  }

  // One of several rows that are the same: there is no telling them apart, and no need.
  std::string one_row(FromRow row) {
    return fmt::format(
        "(SELECT tableoid AS place, ctid AS row FROM {}{} LIMIT 1) AS one "
        "WHERE changed.tableoid OPERATOR(pg_catalog.=) one.place "
        "AND changed.ctid OPERATOR(pg_catalog.=) one.row",
        route_.target, row_test(row));
  }

  static std::string where(const std::vector<std::string>& tests) {
    return tests.empty() ? "" : fmt::format(" WHERE {}", fmt::join(tests, " AND "));
  }

  ChangeStatement finish(std::string_view verb, std::string sql) {
    statement.doing = fmt::format("{} {}", verb, route_.source);
    statement.sql = std::move(sql);
    return std::move(statement);
  }

  // A client that saw the count would see it after the commit, which is sent without waiting.
  ChangeStatement finish_for_one_row(std::string_view verb, std::string_view sql) {
    statement.expected = RowsChanged::kExactlyOne;
    return finish(verb, fmt::format("WITH done AS ({} RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) "
                                    "(pg_catalog.count(*) OPERATOR(pg_catalog.=) 1)"
                                    "::pg_catalog.int4 FROM done",
                                    sql));
  }

  ChangeStatement statement;

 private:
  const Route& route_;
};

}  // namespace

ChangeStatement insert_statement(const Route& route) {
  StatementBuilder builder(route);
  std::vector<std::string> names, values;
  if (route.tenant_column) {
    names.push_back(*route.tenant_column);
    values.push_back(route.tenant_constant);
  }
  for (size_t i = 0; i < route.columns.size(); ++i) {
    if (route.columns[i].is_tenant) continue;
    names.push_back(route.columns[i].name);
    values.push_back(builder.parameter(FromRow::kNew, i));
  }
  if (names.empty())
    return builder.finish("INSERT into",
                          fmt::format("INSERT INTO {} DEFAULT VALUES", route.target));
  return builder.finish("INSERT into",
                        fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                                    route.target, fmt::join(names, ", "), fmt::join(values, ", ")));
}

ChangeStatement update_statement(const Route& route, const std::vector<bool>& is_set, FromRow key) {
  StatementBuilder builder(route);
  std::vector<std::string> assignments;
  for (size_t i = 0; i < route.columns.size(); ++i) {
    if (!is_set[i]) continue;
    assignments.push_back(
        fmt::format("{} = {}", route.columns[i].name, builder.parameter(FromRow::kNew, i)));
  }
  const std::string set =
      fmt::format("UPDATE {} AS changed SET {}", route.target, fmt::join(assignments, ", "));
  if (route.match == RowMatch::kWholeRow)
    return builder.finish_for_one_row("UPDATE of", set + " FROM " + builder.one_row(key));
  return builder.finish_for_one_row("UPDATE of", set + builder.key_test(key));
}

ChangeStatement delete_statement(const Route& route) {
  StatementBuilder builder(route);
  const std::string from = fmt::format("DELETE FROM {} AS changed", route.target);
  if (route.match == RowMatch::kWholeRow)
    return builder.finish_for_one_row("DELETE from",
                                      from + " USING " + builder.one_row(FromRow::kOld));
  return builder.finish_for_one_row("DELETE from", from + builder.key_test(FromRow::kOld));
}

ChangeStatement delete_all_statement(const Route& route) {
  StatementBuilder builder(route);
  return builder.finish("TRUNCATE of", fmt::format("DELETE FROM {}{}", route.target,
                                                   builder.where(builder.tenant_test())));
}

}  // namespace partywall::migrate
