#include "migrate/run/migrate_tenant.h"

#include <algorithm>

#include <fmt/format.h>

#include "migrate/copy/sequences.h"
#include "migrate/copy/session.h"
#include "migrate/copy/source_sum.h"
#include "migrate/passing.h"
#include "migrate/run/coordinator.h"
#include "migrate/run/preflight.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;

constexpr uint32_t kMaxRestarts = 2;  // of one relation
constexpr uint32_t kMaxComparisons = 5;

class Migration {
 public:
  Migration(const MigrationTask& task, const Subject& subject, const TimeSource& time,
            MigrationObserver& observer)
      : task_(task), subject_(subject), time_(time), observer_(observer) {}

  Result<MigrationResult> run() {
    auto opened = Coordinator::open(task_, subject_);
    if (!opened) return std::unexpected(opened.error());
    coordinator_ = *std::move(opened);
    const auto there = coordinator_->find();
    if (!there) return std::unexpected(there.error());
    if (*there && (*there)->state == MigrationState::kVerified)
      return MigrationResult{.outcome = MigrationOutcome::kVerifiedBefore};
    const auto findings =
        preflight(subject_, task_.source, target(), task_.tenant, task_.rules, task_.use);
    if (!findings) return std::unexpected(findings.error());
    observer_.found(*findings);
    if (forbids(*findings)) return MigrationResult{.outcome = MigrationOutcome::kRefused};
    if (auto begun = *there ? go_on(**there) : begin(); !begun)
      return std::unexpected(begun.error());
    return copy_until_verified();
  }

 private:
  Connection& target() { return coordinator_->target(); }
  Result<> keep_hold() { return coordinator_->keep_hold(); }

  Result<> begin() {
    if (auto made = create_progress_schema(target()); !made) return made;
    record_ = {.tenant = task_.tenant,
               .slug = task_.slug,
               .source = subject_.identity,
               .fingerprint = subject_.fingerprint,
               .tenant_column = task_.rules.tenant_column};
    return begin_migration(target(), record_, subject_.relations,
                           blocks_per_chunk(task_, subject_));
  }

  // Places of rows that were written anew mean nothing.
  Result<> go_on(const MigrationRecord& there) {
    record_ = there;
    was_interrupted_ = true;
    const auto progress = read_progress(target(), task_.tenant);
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

  Result<> restart(const Relation& relation, const std::string& why) {
    if (++restarts_[relation.name] > kMaxRestarts) {
      return fail(ErrorKind::kConflict,
                  "{} changes faster than it can be copied ({}): stop writing to the source, then "
                  "run it again",
                  relation.name, why);
    }
    observer_.restarted(relation.name, why);
    return restart_relation(target(), record_, relation, blocks_per_chunk(task_, subject_));
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
      auto chunks = read_pending_chunks(target(), task_.tenant);
      if (!chunks) return std::unexpected(chunks.error());
      if (chunks->empty()) break;
      const auto progress = read_progress(target(), task_.tenant);
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
    auto set = continue_sequences(*source, target(), task_.tenant, subject_.catalog.sequences,
                                  task_.rules.shared_sequence_names(), SequenceMove::kExactly);
    if (!set) return set;
    return enter(MigrationState::kCopied);
  }

  Result<> enter(MigrationState state) {
    if (auto noted = set_state(target(), task_.tenant, state); !noted) return noted;
    observer_.entered(state);
    return {};
  }

  // Relations that the source has changed since they were copied are copied again; if one differs
  // and the source has not changed it, nothing more is touched: false.
  Result<bool> restart_changed(const Verdict& verdict) {
    const auto progress = read_progress(target(), task_.tenant);
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
  std::optional<Coordinator> coordinator_;
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
    if (verdict || !may_pass(verdict.error()) || ++failures >= kMaxComparisons) return verdict;
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
  return (*migration)->is_online ? DiscardOutcome::kDiscardedButStream : DiscardOutcome::kDiscarded;
}

}  // namespace partywall::migrate
