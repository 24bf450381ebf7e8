#include "migrate/run/migrate_tenant.h"

#include <algorithm>

#include <fmt/format.h>

#include "migrate/copy/migration_lock.h"
#include "migrate/copy/sequences.h"
#include "migrate/copy/session.h"
#include "migrate/copy/source_sum.h"
#include "migrate/run/preflight.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;

constexpr uint32_t kMaxRestarts = 2;  // of one relation
constexpr uint32_t kMaxComparisons = 5;

// A loader that nobody else has for this tenant, as long as it is open.
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

class Migration {
 public:
  Migration(const MigrationTask& task, const Subject& subject, const TimeSource& time,
            MigrationObserver& observer)
      : task_(task), subject_(subject), time_(time), observer_(observer) {}

  Result<MigrationResult> run() {
    auto coordinator = open_exclusively(task_.target, task_.tenant);
    if (!coordinator) return std::unexpected(coordinator.error());
    coordinator_ = *std::move(coordinator);
    const auto there = read_migration(*coordinator_, task_.tenant);
    if (!there) return std::unexpected(there.error());
    if (*there) {
      if (auto fits = check_same(**there); !fits) return std::unexpected(fits.error());
      if (auto fits = check_tables(); !fits) return std::unexpected(fits.error());
      if ((*there)->state == MigrationState::kVerified)
        return MigrationResult{.outcome = MigrationOutcome::kVerifiedBefore};
    }
    const auto findings =
        preflight(subject_, task_.source, *coordinator_, task_.tenant, task_.rules);
    if (!findings) return std::unexpected(findings.error());
    observer_.found(*findings);
    if (forbids(*findings)) return MigrationResult{.outcome = MigrationOutcome::kRefused};
    if (auto begun = *there ? go_on(**there) : begin(); !begun)
      return std::unexpected(begun.error());
    return copy_until_verified();
  }

 private:
  // The connection that has the tenant's lock may be lost while workers copy: it is made anew, and
  // the server may need a while to notice that the old one is gone.
  Result<> keep_hold() {
    if (coordinator_->execute("SELECT 1")) return {};
    for (uint32_t failures = 1;; ++failures) {
      auto opened = open_exclusively(task_.target, task_.tenant);
      if (opened) {
        coordinator_ = *std::move(opened);
        break;
      }
      if (failures >= task_.copy.max_failures) return std::unexpected(opened.error());
      task_.copy.sleep(backoff_pause(task_.copy.backoff, failures));
    }
    const auto there = read_migration(*coordinator_, task_.tenant);
    if (!there) return std::unexpected(there.error());
    if (*there) return check_same(**there);
    return fail(ErrorKind::kConflict, "the migration of tenant {} was discarded by another process",
                task_.slug);
  }

  // A migration that was begun goes on only with the same source and schema.
  [[nodiscard]] Result<> check_same(const MigrationRecord& there) const {
    constexpr std::string_view kRemedy =
        "finish it with that one, or begin anew after partywall migrate discard";
    if (there.source != subject_.identity) {
      return fail(ErrorKind::kConflict,
                  "the migration of tenant {} was begun from another database ({}): {}", task_.slug,
                  there.source, kRemedy);
    }
    if (there.fingerprint != subject_.fingerprint) {
      return fail(ErrorKind::kConflict,
                  "the schema of the source has changed since the migration of tenant {} was "
                  "begun: convert it, then begin anew after partywall migrate discard",
                  task_.slug);
    }
    if (there.tenant_column != task_.rules.tenant_column) {
      return fail(ErrorKind::kConflict,
                  "the migration of tenant {} was begun with tenant column {}: use the same rules",
                  task_.slug, there.tenant_column);
    }
    return {};
  }

  // Other rules may take other tables for a tenant's: then chunks of tables that are not to be
  // copied would be left, or rows that nobody compares.
  Result<> check_tables() {
    const auto progress = read_progress(*coordinator_, task_.tenant);
    if (!progress) return std::unexpected(progress.error());
    const bool are_same = progress->size() == subject_.relations.size() &&
                          std::ranges::all_of(*progress, [&](const RelationProgress& one) {
                            return find_relation(subject_, one.relation) != nullptr;
                          });
    if (are_same) return {};
    return fail(ErrorKind::kConflict,
                "the migration of tenant {} was begun with other rules, for other tables: use the "
                "same, or begin anew after partywall migrate discard",
                task_.slug);
  }

  Result<> begin() {
    if (auto made = create_progress_schema(*coordinator_); !made) return made;
    record_ = {.tenant = task_.tenant,
               .slug = task_.slug,
               .source = subject_.identity,
               .fingerprint = subject_.fingerprint,
               .tenant_column = task_.rules.tenant_column};
    return begin_migration(*coordinator_, record_, subject_.relations, step());
  }

  // Places of rows that were written anew mean nothing. check_tables() has succeeded.
  Result<> go_on(const MigrationRecord& there) {
    record_ = there;
    was_interrupted_ = true;
    const auto progress = read_progress(*coordinator_, task_.tenant);
    if (!progress) return std::unexpected(progress.error());
    for (const RelationProgress& one : *progress) {
      const Relation* relation = find_relation(subject_, one.relation);
      const bool is_partial = one.chunks_done > 0 && one.chunks_done < one.chunks;
      if (!is_partial || relation->filenode == one.filenode) continue;
      if (auto done = restart(*relation, "the source has written the whole table anew"); !done)
        return done;
    }
    return {};
  }

  // Before PostgreSQL 14 a range of places is found by reading the whole table.
  [[nodiscard]] uint64_t step() const {
    return subject_.catalog.server_version >= 140000 ? task_.copy.blocks_per_chunk : 0;
  }

  Result<> restart(const Relation& relation, const std::string& why) {
    if (++restarts_[relation.name] > kMaxRestarts) {
      return fail(ErrorKind::kConflict,
                  "{} changes faster than it can be copied ({}): stop writing to the source, then "
                  "run it again",
                  relation.name, why);
    }
    observer_.restarted(relation.name, why);
    return restart_relation(*coordinator_, record_, relation, step());
  }

  Result<MigrationResult> copy_until_verified() {
    while (true) {
      if (auto copied = copy(); !copied) return std::unexpected(copied.error());
      observer_.verifying();
      auto verdict = verify_tenant(task_, subject_, observer_);
      if (!verdict) return std::unexpected(verdict.error());
      if (auto held = keep_hold(); !held) return std::unexpected(held.error());
      if (verdict->is_equal()) {
        if (auto noted = enter(MigrationState::kVerified); !noted)
          return std::unexpected(noted.error());
        return MigrationResult{MigrationOutcome::kVerified, *std::move(verdict)};
      }
      const auto again = restart_changed(*verdict);
      if (!again) return std::unexpected(again.error());
      if (!*again) return MigrationResult{MigrationOutcome::kDiffers, *std::move(verdict)};
    }
  }

  Result<> copy() {
    Snapshot snapshot(task_.source);
    while (true) {
      if (auto held = keep_hold(); !held) return held;
      auto chunks = read_pending_chunks(*coordinator_, task_.tenant);
      if (!chunks) return std::unexpected(chunks.error());
      if (chunks->empty()) break;
      const auto progress = read_progress(*coordinator_, task_.tenant);
      if (!progress) return std::unexpected(progress.error());
      observer_.copying(*progress);
      CopyTask copy{.target = task_.target, .migration = record_, .chunks = *std::move(chunks)};
      for (const Relation& relation : subject_.relations)
        copy.relations.emplace(relation.name, relation);
      const auto outcome = copy_chunks(copy, snapshot, task_.copy, time_, observer_);
      if (!outcome) return std::unexpected(outcome.error());
      if (auto held = keep_hold(); !held) return held;
      if (auto handled = handle_refused(outcome->refused, snapshot.taken()); !handled)
        return handled;
    }
    return finish_copy();
  }

  // What a key refuses may be a row that moved between two snapshots, and only then.
  Result<> handle_refused(const std::map<std::string, std::string>& refused, size_t snapshots) {
    for (const auto& [name, message] : refused) {
      if (!was_interrupted_ && snapshots <= 1)
        return fail(ErrorKind::kConflict, "copying {}: {}", name, message);
      if (auto done = restart(*find_relation(subject_, name), message); !done) return done;
    }
    return {};
  }

  Result<> finish_copy() {
    auto source = open_session(task_.source);
    if (!source) return std::unexpected(source.error());
    auto set = continue_sequences(*source, *coordinator_, task_.tenant, subject_.catalog.sequences,
                                  task_.rules.shared_sequence_names());
    if (!set) return set;
    return enter(MigrationState::kCopied);
  }

  Result<> enter(MigrationState state) {
    if (auto noted = set_state(*coordinator_, task_.tenant, state); !noted) return noted;
    observer_.entered(state);
    return {};
  }

  // Relations that the source has changed since they were copied are copied again; if one differs
  // and the source has not changed it, nothing more is touched: false.
  Result<bool> restart_changed(const Verdict& verdict) {
    const auto progress = read_progress(*coordinator_, task_.tenant);
    if (!progress) return std::unexpected(progress.error());
    auto source = open_session(task_.source);
    if (!source) return std::unexpected(source.error());
    std::vector<const Relation*> changed;
    for (const RelationVerdict& one : verdict.relations) {
      if (one.is_equal) continue;
      const Relation* relation = find_relation(subject_, one.relation);
      const auto noted = std::ranges::find(*progress, one.relation, &RelationProgress::relation);
      const auto now = read_source_sum(*source, *relation);
      if (!now) return std::unexpected(now.error());
      if (noted == progress->end() || *now == noted->sum) return false;
      changed.push_back(relation);
    }
    for (const Relation* relation : changed) {
      if (auto done = restart(*relation, "the source has changed since it was copied"); !done)
        return std::unexpected(done.error());
    }
    return !changed.empty();
  }

  const MigrationTask& task_;
  const Subject& subject_;
  const TimeSource& time_;
  MigrationObserver& observer_;
  std::optional<Connection> coordinator_;
  MigrationRecord record_;
  bool was_interrupted_ = false;  // rows may be of more than one snapshot
  std::map<std::string, uint32_t> restarts_;
};

}  // namespace

Result<MigrationResult> migrate_tenant(const MigrationTask& task, const Subject& subject,
                                       const TimeSource& time, MigrationObserver& observer) {
  return Migration(task, subject, time, observer).run();
}

Result<Verdict> verify_tenant(const MigrationTask& task, const Subject& subject,
                              VerifyObserver& observer) {
  const VerifyTask comparison{.source = task.source,
                              .target = task.target,
                              .tenant = task.tenant,
                              .tenant_column = task.rules.tenant_column,
                              .relations = subject.relations};
  for (uint32_t failures = 0;;) {
    auto verdict = verify(comparison, task.verify, observer);
    const bool may_pass = !verdict && verdict.error().kind == ErrorKind::kUnavailable;
    if (!may_pass || ++failures >= kMaxComparisons) return verdict;
    task.copy.sleep(backoff_pause(task.copy.backoff, failures));
  }
}

Result<DiscardOutcome> discard_tenant(const std::string& target, const Uuid& tenant,
                                      DiscardVerified verified) {
  auto connection = open_exclusively(target, tenant);
  if (!connection) return std::unexpected(connection.error());
  const auto migration = read_migration(*connection, tenant);
  if (!migration) return std::unexpected(migration.error());
  if (!*migration) return DiscardOutcome::kNoneBegun;
  if ((*migration)->state == MigrationState::kVerified && verified == DiscardVerified::kNo)
    return DiscardOutcome::kIsVerified;
  if (auto discarded = discard_migration(*connection, **migration); !discarded)
    return std::unexpected(discarded.error());
  return DiscardOutcome::kDiscarded;
}

}  // namespace partywall::migrate
