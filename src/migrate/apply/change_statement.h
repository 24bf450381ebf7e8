#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrate/apply/route.h"

// The statements that carry changes out. Each names the tenant as a constant; values are parameters
// with the types of the target's columns. Pure.
namespace partywall::migrate {

enum class FromRow : uint8_t { kOld, kNew };

struct ChangeParameter {
  FromRow row = FromRow::kNew;
  size_t column = 0;

  bool operator==(const ChangeParameter&) const = default;
};

enum class RowsChanged : uint8_t {
  // Anything else means that source and target have parted: the statement itself fails then, with
  // kPartedState, and with it the transaction.
  kExactlyOne,
  kAny,
};

// SQLSTATE division_by_zero: there is nothing else by which plain SQL can fail on a count of rows.
inline constexpr std::string_view kPartedState = "22012";

struct ChangeStatement {
  // Of the prepared statement; unique among those of a stream.
  uint32_t number = 0;
  std::string sql;
  std::vector<uint32_t> types;
  std::vector<ChangeParameter> parameters;
  RowsChanged expected = RowsChanged::kAny;
  std::string doing;  // "UPDATE of public.film"
};

[[nodiscard]] ChangeStatement insert_statement(const Route& route);

// `is_set`: for each column whether it gets its new value. `key`: the row that has the key to find
// it by.
[[nodiscard]] ChangeStatement update_statement(const Route& route, const std::vector<bool>& is_set,
                                               FromRow key);

[[nodiscard]] ChangeStatement delete_statement(const Route& route);

// All rows of the tenant: what TRUNCATE becomes.
[[nodiscard]] ChangeStatement delete_all_statement(const Route& route);

}  // namespace partywall::migrate
