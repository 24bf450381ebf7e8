#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the console shows: its tables, with the names and types of their columns.
namespace partywall::sql {

enum class ColumnType : uint8_t { kText, kInteger, kSeconds, kBoolean };

struct ConsoleColumn {
  std::string_view name;
  ColumnType type = ColumnType::kText;
};

enum class ConsoleView : uint8_t {
  kHelp,
  kVersion,
  kTenants,
  kPools,
  kClients,
  kServers,
  kStats,
  kPrepared,
};

struct ConsoleViewInfo {
  ConsoleView view = ConsoleView::kHelp;
  std::string_view name;  // as in SHOW name, in lower case
  std::string_view help;
  std::vector<ConsoleColumn> columns;
};

// In the order of ConsoleView.
[[nodiscard]] const std::vector<ConsoleViewInfo>& console_views();
[[nodiscard]] const ConsoleViewInfo& info_of(ConsoleView view);

// Values as PostgreSQL writes them as text; nullopt is NULL. One for each column of the view.
using ConsoleRow = std::vector<std::optional<std::string>>;
using ConsoleRows = std::vector<ConsoleRow>;

void append_row_description(std::string& out, std::span<const ConsoleColumn> columns);
void append_data_row(std::string& out, const ConsoleRow& row);

}  // namespace partywall::sql
