#pragma once

#include <span>
#include <string_view>

namespace partywall::store {

// One step of the control store's schema. A step that was released is never changed: what comes
// later is a step of its own. Steps only add where nodes of the release before still read.
struct Migration {
  int number;  // from 1, without gaps
  std::string_view name;
  std::string_view sql;  // statements of the simple protocol; runs in a transaction of its own
};

[[nodiscard]] std::span<const Migration> migrations();

// Their SQL, one function a theme (migration_*.cc).
[[nodiscard]] std::string_view change_feed_sql();
[[nodiscard]] std::string_view directory_tables_sql();
[[nodiscard]] std::string_view directory_triggers_sql();
[[nodiscard]] std::string_view work_tables_sql();
[[nodiscard]] std::string_view cheaper_feed_sql();
[[nodiscard]] std::string_view caches_sql();
[[nodiscard]] std::string_view usage_sql();
[[nodiscard]] std::string_view webhooks_sql();
[[nodiscard]] std::string_view cache_tags_sql();

}  // namespace partywall::store
