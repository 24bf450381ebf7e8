#include "migrate/run/coordinator.h"

#include <algorithm>

#include <fmt/format.h>

#include "migrate/copy/migration_lock.h"
#include "migrate/copy/session.h"

namespace partywall::migrate {

using postgres::Connection;

Result<Connection> open_exclusively(const std::string& target, const Uuid& tenant) {
  auto connection = open_loader(target);
  if (!connection) return fail_with_context("target", connection.error());
  if (auto locked = lock_tenant(*connection, tenant); !locked)
    return std::unexpected(locked.error());
  return connection;
}

const Relation* find_relation(const Subject& subject, const std::string& name) {
  const auto found = std::ranges::find(subject.relations, name, &Relation::name);
  return found == subject.relations.end() ? nullptr : &*found;
}

uint64_t blocks_per_chunk(const MigrationTask& task, const Subject& subject) {
  return subject.catalog.server_version >= 140000 ? task.copy.blocks_per_chunk : 0;
}

Result<Coordinator> Coordinator::open(const MigrationTask& task, const Subject& subject) {
  auto target = open_exclusively(task.target, task.tenant);
  if (!target) return std::unexpected(target.error());
  return Coordinator(task, subject, *std::move(target));
}

Result<std::optional<MigrationRecord>> Coordinator::find() {
  const auto there = find_same();
  if (!there || !*there) return there;
  if (auto fits = check_tables(**there); !fits) return std::unexpected(fits.error());
  return there;
}

Result<std::optional<MigrationRecord>> Coordinator::find_same() {
  const auto there = read_migration(*target_, task_->tenant);
  if (!there || !*there) return there;
  if (auto fits = check_same(**there); !fits) return std::unexpected(fits.error());
  return there;
}

Result<> Coordinator::keep_hold() {
  if (target_->execute("SELECT 1")) return {};
  for (uint32_t failures = 1;; ++failures) {
    auto opened = open_exclusively(task_->target, task_->tenant);
    if (opened) {
      target_ = *std::move(opened);
      break;
    }
    if (failures >= task_->copy.max_failures) return std::unexpected(opened.error());
    task_->copy.sleep(backoff_pause(task_->copy.backoff, failures));
  }
  const auto there = find_same();
  if (!there) return std::unexpected(there.error());
  if (*there) return {};
  return fail(ErrorKind::kConflict, "the migration of tenant {} was discarded by another process",
              task_->slug);
}

// A migration that was begun goes on only with the same source and schema. Once the rows of a
// source in use are there, what its schema becomes is the stream's business.
Result<> Coordinator::check_same(const MigrationRecord& there) const {
  constexpr std::string_view kRemedy =
      "finish it with that one, or begin anew after partywall migrate discard";
  if (there.source != subject_->identity) {
    return fail(ErrorKind::kConflict,
                "the migration of tenant {} was begun from another database ({}): {}", task_->slug,
                there.source, kRemedy);
  }
  if (there.is_online != (task_->use == SourceUse::kInUse)) {
    return fail(ErrorKind::kConflict,
                "the migration of tenant {} was begun {} --online: finish it so, or begin anew "
                "after partywall migrate discard",
                task_->slug, there.is_online ? "with" : "without");
  }
  const bool must_be_the_same = !there.is_online || there.state == MigrationState::kCopying;
  if (must_be_the_same && there.fingerprint != subject_->fingerprint) {
    return fail(ErrorKind::kConflict,
                "the schema of the source has changed since the migration of tenant {} was "
                "begun: convert it, then begin anew after partywall migrate discard",
                task_->slug);
  }
  if (there.tenant_column != task_->rules.tenant_column) {
    return fail(ErrorKind::kConflict,
                "the migration of tenant {} was begun with tenant column {}: use the same rules",
                task_->slug, there.tenant_column);
  }
  return {};
}

// Other rules may take other tables for a tenant's: then chunks of tables that are not to be
// copied would be left, or rows that nobody compares.
Result<> Coordinator::check_tables(const MigrationRecord& there) {
  const auto progress = read_progress(*target_, task_->tenant);
  if (!progress) return std::unexpected(progress.error());
  const bool are_known = std::ranges::all_of(*progress, [&](const RelationProgress& one) {
    return find_relation(*subject_, one.relation) != nullptr;
  });
  // A partition may have come after the rows were copied; the stream has what is in it.
  const bool may_be_more = there.is_online && there.state != MigrationState::kCopying;
  if (are_known && (may_be_more || progress->size() == subject_->relations.size())) return {};
  return fail(ErrorKind::kConflict,
              "the migration of tenant {} was begun with other rules, for other tables: use the "
              "same, or begin anew after partywall migrate discard",
              task_->slug);
}

}  // namespace partywall::migrate
