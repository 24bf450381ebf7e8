#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "sql/console/console_login.h"
#include "sql/console/console_view.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {

enum class ConsoleAction : uint8_t {
  kEmpty,        // no statement in the text
  kTransaction,  // BEGIN, COMMIT, ROLLBACK, which drivers send by themselves: nothing to do
  kShow,
  kPause,
  kResume,
  kReconnect,
  kKillTenant,
  kKillClient,
  kReload,
};

struct ConsoleCommand {
  ConsoleAction action = ConsoleAction::kEmpty;
  ConsoleView view = ConsoleView::kHelp;  // of kShow
  std::string subject;                    // a cell (empty: all), a tenant's slug
  uint32_t client = 0;                    // of kKillClient
  std::string_view tag;                   // of its CommandComplete; of kShow "SHOW"

  [[nodiscard]] bool shows() const { return action == ConsoleAction::kShow; }
};

// One command, with or without a semicolon behind it. Words may be in any case.
[[nodiscard]] std::expected<ConsoleCommand, SqlError> parse_console_command(std::string_view text);

// nullopt: allowed.
[[nodiscard]] std::optional<SqlError> check_rights(const ConsoleCommand& command,
                                                   ConsoleRights rights);

// The rows of SHOW HELP.
[[nodiscard]] ConsoleRows console_help();

}  // namespace partywall::sql
