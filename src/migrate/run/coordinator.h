#pragma once

#include <optional>
#include <vector>

#include "engines/postgres.h"
#include "migrate/copy/progress.h"
#include "migrate/run/migration_task.h"
#include "migrate/run/subject.h"

namespace partywall::migrate {

// A loader of the target that nobody else has for this tenant, as long as it is open.
Result<postgres::Connection> open_exclusively(const std::string& target, const Uuid& tenant);

// Has a tenant's migration to itself: the connection that holds its lock and notes its progress.
class Coordinator {
 public:
  // kConflict if another process has it. `task` and `subject` must outlive it.
  static Result<Coordinator> open(const MigrationTask& task, const Subject& subject);

  [[nodiscard]] postgres::Connection& target() { return *target_; }

  // The migration if it was begun. kConflict: with another source, another schema, other rules, or
  // another use of the source.
  Result<std::optional<MigrationRecord>> find();

  // The connection may be lost while others work: it is made anew, and the server may need a while
  // to notice that the old one is gone.
  Result<> keep_hold();

 private:
  Coordinator(const MigrationTask& task, const Subject& subject, postgres::Connection target)
      : task_(&task), subject_(&subject), target_(std::move(target)) {}
  Result<std::optional<MigrationRecord>> find_same();
  [[nodiscard]] Result<> check_same(const MigrationRecord& there) const;
  Result<> check_tables(const MigrationRecord& there);

  const MigrationTask* task_;
  const Subject* subject_;
  std::optional<postgres::Connection> target_;
};

// nullptr: the source has none of that name.
[[nodiscard]] const Relation* find_relation(const Subject& subject, const std::string& name);

// Before PostgreSQL 14 a range of places is found by reading the whole table: 0, all in one.
[[nodiscard]] uint64_t blocks_per_chunk(const MigrationTask& task, const Subject& subject);

}  // namespace partywall::migrate
