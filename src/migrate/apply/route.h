#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "migrate/apply/pgoutput.h"
#include "migrate/apply/stream_table.h"

// How the rows of one relation of the stream become rows of a table of the target. Pure.
namespace partywall::migrate {

enum class RowMatch : uint8_t {
  kKey,       // by the columns of a key
  kWholeRow,  // there is no key: one row that is the same in every column
};

struct RoutedColumn {
  std::string name;      // quoted
  uint32_t type_id = 0;  // in the target
  std::string equals;    // "OPERATOR(pg_catalog.=)"
  bool is_key = false;
  bool is_tenant = false;           // names the tenant in the source
  bool is_always_identity = false;  // takes a value only where it changes
};

struct Route {
  std::string source;                 // "public.film", for messages
  std::string target;                 // quoted
  std::vector<RoutedColumn> columns;  // in the order of the stream's rows
  RowMatch match = RowMatch::kKey;
  // Where the tenant is in a row of the source, whose rows are only partly his.
  std::optional<size_t> tenant_at;
  // `"tenant_id"` of the target, where it has one, and the tenant as an SQL constant. It is written
  // into every statement: no value of the stream can take its place.
  std::optional<std::string> tenant_column;
  std::string tenant_constant;
  std::string tenant_text;  // as a row of the source writes it
};

// `source_types`: the relation's column types as format_type shows them. `target`: null if there is
// no such table. kConflict, with every difference, if rows of the one are not rows of the other:
// what may be missing in the source are columns that an INSERT can leave out.
[[nodiscard]] Result<Route> make_route(const pgoutput::Relation& relation,
                                       const std::vector<std::string>& source_types,
                                       const StreamTable* target, const TenantColumns& tenant);

}  // namespace partywall::migrate
