#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "migrate/apply/lsn.h"

// Tables as a stream of changes needs to know them; plain data.
namespace partywall::migrate {

// How the source names the row that an UPDATE or DELETE meant (pg_class.relreplident).
enum class ReplicaIdentity : uint8_t {
  kNothing,  // it cannot: PostgreSQL refuses such statements on a published table
  kKey,      // by the columns of a key
  kFull,     // by the whole old row
};

struct StreamColumn {
  std::string name;  // as it is, not quoted
  std::string type;  // with its modifier, as format_type shows it: "numeric(5,2)"
  uint32_t type_id = 0;
  bool is_primary = false;                     // of the primary key
  bool is_identity = false;                    // of the replica identity's key
  bool is_generated = false;                   // GENERATED ALWAYS AS (…) STORED: never sent
  bool is_always_identity = false;             // GENERATED ALWAYS AS IDENTITY
  bool can_be_left_out = false;                // an INSERT without it succeeds
  std::string equality_schema = "pg_catalog";  // where the operator = of its type is
};

using TableName = std::pair<std::string, std::string>;  // schema and name
using TableNames = std::set<TableName>;
// From which place of the source's log on a table's changes are to be applied.
using TableBeginnings = std::map<TableName, Lsn>;
// Of each table that at the top of its tree of partitions: itself, where it is none.
using TableRoots = std::map<TableName, TableName>;

struct StreamTable {
  std::string schema;
  std::string name;
  TableName root;
  ReplicaIdentity identity = ReplicaIdentity::kNothing;
  bool is_partitioned = false;  // has no rows itself
  bool is_partition = false;
  bool is_unlogged = false;
  bool has_row_security = false;  // that counts for the user who asks
  // Triggers that session_replication_role = replica does not hold back, quoted.
  std::string acting_triggers;
  std::vector<StreamColumn> columns;

  [[nodiscard]] const StreamColumn* find(std::string_view column) const;
  [[nodiscard]] std::string shown() const { return schema + "." + name; }
  [[nodiscard]] std::string quoted() const;
};

// By schema and name.
using StreamTables = std::map<TableName, StreamTable>;

// Whose rows, and where it is written: with a column in the target alone it is added, with one in
// both it is kept, with one in the source alone it is taken away.
struct TenantColumns {
  Uuid tenant;
  std::optional<std::string> source;
  std::optional<std::string> target;
};

}  // namespace partywall::migrate
