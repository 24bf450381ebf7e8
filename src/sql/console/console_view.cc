#include "sql/console/console_view.h"

#include <utility>

#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

using enum ColumnType;

std::vector<ConsoleViewInfo> make_views() {
  return {
      {ConsoleView::kHelp, "help", "what the console understands", {{"command"}, {"meaning"}}},
      {ConsoleView::kVersion, "version", "the release of this binary", {{"version"}}},
      {ConsoleView::kTenants,
       "tenants",
       "tenants of the directory that this node serves, and what they have here now",
       {{"tenant"},
        {"id"},
        {"status"},
        {"tier"},
        {"cell"},
        {"weight", kInteger},
        {"clients", kInteger},
        {"servers", kInteger},
        {"waiting", kInteger},
        {"max_db_connections", kInteger},
        {"db_time", kSeconds},
        {"max_cpu_seconds", kInteger}}},
      {ConsoleView::kPools,
       "pools",
       "the server connections of each worker to each cell",
       {{"cell"},
        {"worker", kInteger},
        {"paused", kBoolean},
        {"slots", kInteger},
        {"open", kInteger},
        {"idle", kInteger},
        {"waiting", kInteger},
        {"connects", kInteger},
        {"connect_failures", kInteger},
        {"grants", kInteger},
        {"waits", kInteger},
        {"enters", kInteger},
        {"resets", kInteger},
        {"reset_failures", kInteger}}},
      {ConsoleView::kClients,
       "clients",
       "connected clients; id is what KILL CLIENT takes",
       {{"id", kInteger},
        {"user"},
        {"tenant"},
        {"cell"},
        {"state"},
        {"state_for", kSeconds},
        {"connected_for", kSeconds},
        {"pinned", kBoolean},
        {"server_pid", kInteger},
        {"address"},
        {"encrypted", kBoolean},
        {"application_name"}}},
      {ConsoleView::kServers,
       "servers",
       "connections to PostgreSQL",
       {{"cell"},
        {"role"},
        {"state"},
        {"state_for", kSeconds},
        {"tenant"},
        {"pid", kInteger},
        {"address"},
        {"worker", kInteger}}},
      {ConsoleView::kStats,
       "stats",
       "what tenants have used since this node started",
       {{"tenant"},
        {"statements", kInteger},
        {"transactions", kInteger},
        {"errors", kInteger},
        {"timeouts", kInteger},
        {"refusals", kInteger},
        {"over_budget", kInteger},
        {"budget_refusals", kInteger},
        {"busy", kSeconds},
        {"waited", kSeconds}}},
      {ConsoleView::kPrepared,
       "prepared",
       "texts of prepared statements, each once for a worker",
       {{"worker", kInteger}, {"id", kInteger}, {"clients", kInteger}, {"query"}}},
  };
}

struct WireType {
  uint32_t oid;
  uint16_t size;
};

// PostgreSQL's pg_type: text, int8, float8, bool.
WireType wire_type(ColumnType type) {
  switch (type) {
    case kInteger:
      return {20, 8};
    case kSeconds:
      return {701, 8};
    case kBoolean:
      return {16, 1};
    case kText:
      break;
  }
  return {25, 0xffff};
}

}  // namespace

const std::vector<ConsoleViewInfo>& console_views() {
  static const std::vector<ConsoleViewInfo> views = make_views();
  return views;
}

const ConsoleViewInfo& info_of(ConsoleView view) {
  return console_views()[std::to_underlying(view)];
}

void append_row_description(std::string& out, std::span<const ConsoleColumn> columns) {
  MessageWriter message(out, 'T');
  message.u16(static_cast<uint16_t>(columns.size()));
  for (const ConsoleColumn& column : columns) {
    const WireType type = wire_type(column.type);
    message.c_string(column.name).u32(0).u16(0).u32(type.oid).u16(type.size);
    message.u32(0xffffffff).u16(0);  // no type modifier; as text
  }
}

void append_data_row(std::string& out, const ConsoleRow& row) {
  MessageWriter message(out, 'D');
  message.u16(static_cast<uint16_t>(row.size()));
  for (const auto& value : row) {
    if (value) {
      message.u32(static_cast<uint32_t>(value->size())).bytes(*value);
    } else {
      message.u32(0xffffffff);
    }
  }
}

}  // namespace partywall::sql
