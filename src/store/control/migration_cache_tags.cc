#include "store/control/migrations.h"

namespace partywall::store {

// New tenants in prefix mode get a short tag. Those that are there keep theirs: their keys begin
// with it.
std::string_view cache_tags_sql() {
  return R"sql(
-- The numbers of tags (tenancy/cache_tag.h). None comes twice, also not after its tenant is gone:
-- keys of the tenant may be left in a Redis or in a backup of it.
CREATE SEQUENCE partywall.cache_tags AS bigint MINVALUE 0 MAXVALUE 33554431 START WITH 0 NO CYCLE;
CREATE INDEX placements_cache_tag ON partywall.placements (cache_tag) WHERE cache_tag <> '';
)sql";
}

}  // namespace partywall::store
