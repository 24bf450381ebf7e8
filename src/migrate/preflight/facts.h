#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "engines/postgres.h"
#include "migrate/copy/relation.h"
#include "migrate/schema/catalog.h"
#include "migrate/verify/references.h"

// What a migration depends on beside the schema, as plain data: read by queries, judged apart.
namespace partywall::migrate {

struct FilledColumn {
  std::string column;  // "public.film.film_id"
  std::string type;
  double share = 0;  // of the type's largest number that its sequence has reached
};

struct SourceFacts {
  std::string database;
  uint64_t bytes = 0;                   // of the database
  std::vector<std::string> unreadable;  // relations that the user may not read
  std::vector<std::string> unreadable_sequences;
  std::vector<std::string> hidden;       // relations of which row-level security hides rows
  std::vector<std::string> as_text;      // relations whose rows are copied as text
  std::vector<BrokenReference> orphans;  // of foreign keys that are NOT VALID
  std::vector<std::string> generated;    // columns
  std::vector<std::string> on_truncate;  // triggers
  std::vector<FilledColumn> filled;
  uint64_t large_objects = 0;
  std::map<std::string, std::string> extensions;  // name: version

  // What following changes depends on, and a copy of a source that is at rest does not.
  std::string wal_level;
  int64_t free_slots = 0;
  int64_t free_senders = 0;
  int64_t slot_wal_limit_mb = 0;  // -1: none
  Duration oldest_transaction{};
  int64_t prepared_transactions = 0;
  std::vector<std::string> without_identity;  // relations whose rows nothing tells apart
  bool is_standby = false;
};

struct TargetFacts {
  std::string database;
  std::string user;
  bool passes_row_security = false;
  bool may_load = false;                  // may set session_replication_role
  bool may_set_sequences = false;         // acts as partywall_sequences, or there is none
  bool may_note_progress = false;         // CREATE on the database, or the schema is there
  std::vector<std::string> unwritable;    // relations that the user may not fill
  std::vector<std::string> unmovable;     // shared sequences that are not the user's own
  std::vector<std::string> firing;        // triggers that are carried out for loaded rows too
  std::vector<std::string> filled;        // relations with rows of the tenant
  std::vector<std::string> empty_global;  // tables for all tenants without rows
  std::map<std::string, std::string> extensions;
};

// What is looked for in the target.
struct TargetScope {
  const std::vector<Relation>& relations;
  std::vector<std::string> global_tables;
  std::set<std::string> shared_sequences;  // that all tenants draw from
  Uuid tenant;
  std::string tenant_column;
};

// Each in a transaction that is open, with search_path = pg_catalog. `sequences`: those whose
// position is read.
Result<SourceFacts> read_source_facts(postgres::Connection& source,
                                      const std::vector<Relation>& relations,
                                      const std::vector<Sequence>& sequences);
Result<TargetFacts> read_target_facts(postgres::Connection& target, const TargetScope& scope);

}  // namespace partywall::migrate
