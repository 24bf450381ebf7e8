#include "store/control/migrations.h"

#include <array>

namespace partywall::store {

std::span<const Migration> migrations() {
  static const std::array<Migration, 9> all = {{
      {1, "the change feed", change_feed_sql()},
      {2, "the directory", directory_tables_sql()},
      {3, "every change of the directory is in the feed", directory_triggers_sql()},
      {4, "operations, leases, nodes, events, audit", work_tables_sql()},
      {5, "what a change costs does not grow with those before it", cheaper_feed_sql()},
      {6, "several caches in a cell, several databases or a prefix for a tenant", caches_sql()},
      {7, "what tenants used", usage_sql()},
      {8, "where events are sent", webhooks_sql()},
      {9, "short tags for tenants in prefix mode", cache_tags_sql()},
  }};
  return all;
}

}  // namespace partywall::store
