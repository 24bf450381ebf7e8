#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

#include "engines/postgres.h"

// One statement about the migration's progress, its parameters of any kind that has a text.
namespace partywall::migrate {

template <class... Values>
Result<postgres::Rows> ask(postgres::Connection& target, const std::string& sql,
                           Values&&... values) {
  auto rows = target.execute(sql, {postgres::Parameter(fmt::format("{}", values))...});
  if (!rows) return fail_with_context("the migration's progress", rows.error());
  return *std::move(rows);
}

template <class... Values>
Result<> tell(postgres::Connection& target, const std::string& sql, Values&&... values) {
  auto rows = ask(target, sql, std::forward<Values>(values)...);
  if (!rows) return std::unexpected(rows.error());
  return {};
}

}  // namespace partywall::migrate
