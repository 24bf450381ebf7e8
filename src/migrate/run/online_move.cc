#include "migrate/run/online_move.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "migrate/apply/stream_names.h"
#include "migrate/copy/sequences.h"
#include "migrate/copy/stream_progress.h"
#include "migrate/passing.h"
#include "migrate/run/background_comparison.h"
#include "migrate/run/coordinator.h"
#include "migrate/run/online_copy.h"
#include "migrate/run/preflight.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;

// What takes less to apply is caught up with.
constexpr Duration kSmallLag = seconds(1);
constexpr BackoffSettings kBetweenHolds{.first = milliseconds(200), .longest = seconds(5)};

double in_milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Goes on with the stream until something that the move waits for.
enum class Advance : uint8_t { kReached, kStopped, kCompared, kTimePassed };

class OnlineMove final : public FollowListener {
 public:
  explicit OnlineMove(const OnlineParts& parts) : parts_(parts), task_(parts.task) {}

  Result<MigrationResult> run() {
    auto result = move();
    if (slot_.empty()) return result;
    const std::string kept = kept_log();
    if (kept.empty()) return result;
    if (!result) return fail(result.error().kind, "{}. {}", result.error().message, kept);
    result->kept = kept;
    return result;
  }

 private:
  Result<MigrationResult> move() {
    auto opened = Coordinator::open(task_, parts_.subject);
    if (!opened) return std::unexpected(opened.error());
    coordinator_ = *std::move(opened);
    const auto identity = read_database_identity(target());
    if (!identity) return fail_with_context("target", identity.error());
    slot_ = stream_name(task_.tenant, *identity);
    auto there = coordinator_->find();
    if (!there) return std::unexpected(there.error());
    const auto findings = preflight(parts_.subject, task_.source, target(), task_.tenant,
                                    task_.rules, SourceUse::kInUse);
    if (!findings) return std::unexpected(findings.error());
    parts_.observer.found(*findings);
    if (forbids(*findings)) return MigrationResult{.outcome = MigrationOutcome::kRefused};
    if (auto fine = check_online(parts_, target()); !fine) return std::unexpected(fine.error());
    // Also for one that an earlier version began.
    if (auto made = create_progress_schema(target()); !made) return std::unexpected(made.error());
    if (*there) {
      record_ = **there;
    } else if (auto begun = begin(); !begun) {
      return std::unexpected(begun.error());
    }
    if (record_.state == MigrationState::kCopying) {
      const auto copied = copy_online(parts_, record_, *coordinator_);
      if (!copied) return std::unexpected(copied.error());
      if (*copied == CopyEnd::kStopped) return stopped();
      if (auto entered = enter(MigrationState::kCatchingUp); !entered)
        return std::unexpected(entered.error());
    }
    return follow();
  }

  // What somebody must know who does not go on: the source's disk fills. "": there is no slot.
  [[nodiscard]] std::string kept_log() const {
    std::string_view who = "The source keeps";
    if (auto source = open_session(task_.source); source) {
      const auto there = source->execute(
          "SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1", {slot_});
      if (there && there->empty()) return "";
    } else {
      who = "The source, which does not answer, may keep";
    }
    return fmt::format(
        "{} its log for slot {}: run it again to go on, or give it up with partywall migrate "
        "discard and partywall migrate forget",
        who, slot_);
  }

  Connection& target() { return coordinator_->target(); }

  static MigrationResult stopped() { return {.outcome = MigrationOutcome::kStopped}; }

  Result<> begin() {
    record_ = {.tenant = task_.tenant,
               .slug = task_.slug,
               .source = parts_.subject.identity,
               .fingerprint = parts_.subject.fingerprint,
               .tenant_column = task_.rules.tenant_column,
               .is_online = true};
    return begin_migration(target(), record_, parts_.subject.relations,
                           blocks_per_chunk(task_, parts_.subject));
  }

  Result<> enter(MigrationState state) {
    if (auto held = coordinator_->keep_hold(); !held) return held;
    if (record_.state == state) return {};
    if (auto noted = set_state(target(), task_.tenant, state); !noted) return noted;
    record_.state = state;
    parts_.observer.entered(state);
    return {};
  }

  // The rows are there.
  Result<MigrationResult> follow() {
    stop_ = parts_.settings.watch_stop();
    stream_.emplace(
        FollowSettings{.stream = stream_settings(parts_, CopiedRows::kComplete),
                       .least_between_reports = seconds(1),
                       .wake_descriptors = {stop_->descriptor(), hold_lost_.descriptor(),
                                            compared_.descriptor(), timer_.descriptor()}},
        *this, [this](const Error& error, Duration pause) { parts_.online.on_retry(error, pause); },
        parts_.time);
    auto result = follow_until_verified();
    if (!result || result->outcome != MigrationOutcome::kVerified ||
        parts_.settings.end == OnlineEnd::kVerified)
      return result;
    if (const auto end = advance(std::nullopt); !end) return std::unexpected(end.error());
    return stopped();
  }

  Result<MigrationResult> follow_until_verified() {
    if (const auto end = catch_up(); !end || *end == Advance::kStopped)
      return end ? Result<MigrationResult>(stopped()) : std::unexpected(end.error());
    bool are_moved = false;  // the sequences
    for (uint32_t failures = 0;;) {
      const auto moved = are_moved ? Result<>{} : move_sequences();
      are_moved = moved.has_value();
      auto verdict =
          moved ? compare() : Result<std::optional<Verdict>>(std::unexpected(moved.error()));
      if (verdict && !*verdict) return stopped();
      if (verdict) return conclude(**std::move(verdict));
      if (!may_pass(verdict.error()) || ++failures >= task_.copy.max_failures)
        return std::unexpected(verdict.error());
      const Duration pause = backoff_pause(kBetweenHolds, failures);
      parts_.online.on_retry(verdict.error(), pause);
      const auto end = advance_for(pause);
      if (!end) return std::unexpected(end.error());
      if (*end == Advance::kStopped) return stopped();
    }
  }

  // Runs the stream until it has what there is, and then what there is when that is done, as long
  // as that takes longer than it would be if it were close.
  Result<Advance> catch_up() {
    while (true) {
      const auto place = source_place();
      if (!place) {
        if (place.error().kind != ErrorKind::kUnavailable) return std::unexpected(place.error());
        const auto end = advance_for(kSmallLag);  // the stream says that it is gone
        if (!end || *end == Advance::kStopped) return end;
        continue;
      }
      const MonotonicTime began = parts_.time.monotonic();
      const auto end = advance(*place);
      if (!end || *end == Advance::kStopped) return end;
      if (parts_.time.monotonic() - began >= kSmallLag) continue;
      parts_.online.on_caught_up(*place);
      return Advance::kReached;
    }
  }

  Result<Lsn> source_place() {
    auto source = open_session(task_.source);
    if (!source) return fail_with_context("source", source.error());
    const auto place = source->execute("SELECT pg_current_wal_flush_lsn()");
    if (!place) return fail_with_context("source", place.error());
    return parse_lsn(place->text(0));
  }

  Result<Advance> advance(std::optional<Lsn> until) {
    while (true) {
      const auto end = stream_->run(until);
      if (!end) return std::unexpected(end.error());
      if (*end == FollowEnd::kReached) return Advance::kReached;
      if (stop_->has_come()) return Advance::kStopped;
      if (hold_lost_.has_come()) {
        hold_lost_.clear();
        if (auto held = coordinator_->keep_hold(); !held) return std::unexpected(held.error());
      }
      if (compared_.has_come()) {
        compared_.clear();
        return Advance::kCompared;
      }
      if (timer_.has_come()) {
        timer_.clear();
        return Advance::kTimePassed;
      }
    }
  }

  Result<Advance> advance_for(Duration duration) {
    timer_.set(duration);
    auto end = advance(std::nullopt);
    timer_.clear();
    return end;
  }

  // The stream has none of their positions. Numbers that are drawn later are moved to later.
  Result<> move_sequences() {
    auto source = open_session(task_.source);
    if (!source) return fail_with_context("source", source.error());
    if (auto held = coordinator_->keep_hold(); !held) return held;
    return continue_sequences(*source, target(), task_.tenant, parts_.subject.catalog.sequences,
                              task_.rules.shared_sequence_names(), SequenceMove::kForward);
  }

  // Nothing: it was stopped.
  Result<std::optional<Verdict>> compare() {
    auto common = hold();
    if (!common) return std::unexpected(common.error());
    if (*common == nullptr) return std::nullopt;
    parts_.online.on_held((*common)->place, (*common)->held);
    place_ = (*common)->place;
    held_ = (*common)->held;
    parts_.observer.verifying();
    compared_.clear();
    BackgroundComparison comparison({.source = task_.source,
                                     .target = task_.target,
                                     .tenant = task_.tenant,
                                     .tenant_column = task_.rules.tenant_column,
                                     .relations = parts_.subject.relations},
                                    task_.verify, parts_.observer, *std::move(common), compared_);
    const auto end = advance(std::nullopt);
    if (!end) return std::unexpected(end.error());
    if (*end == Advance::kStopped) return std::nullopt;
    auto verdict = comparison.verdict();
    if (verdict) return *std::move(verdict);
    if (!comparison.is_lost()) return std::unexpected(verdict.error());
    return fail(ErrorKind::kUnavailable, "{}", verdict.error().message);
  }

  // nullptr: it was stopped.
  Result<std::unique_ptr<CommonPlace>> hold() {
    std::vector<std::string> shown;
    for (uint32_t failures = 0;;) {
      auto common = find_common_place(
          *stream_,
          {.source = task_.source,
           .target = task_.target,
           .slot = fmt::format("{}_{}", stream_->plan().name, SystemRandom().below(10'000)),
           .delay = parts_.settings.delay,
           .timer = timer_},
          parts_.time, [&](const std::vector<std::string>& open) {
            if (!open.empty() && open != shown) parts_.online.on_waiting(open);
            shown = open;
          });
      if (!common || *common != nullptr) return common;
      const auto end = advance_for(backoff_pause(kBetweenHolds, ++failures));
      if (!end) return std::unexpected(end.error());
      if (*end == Advance::kStopped) return nullptr;
    }
  }

  Result<MigrationResult> conclude(Verdict verdict) {
    if (auto held = coordinator_->keep_hold(); !held) return std::unexpected(held.error());
    if (!verdict.is_equal()) {
      if (auto entered = enter(MigrationState::kCatchingUp); !entered)
        return std::unexpected(entered.error());
      return MigrationResult{MigrationOutcome::kDiffers, std::move(verdict)};
    }
    auto noted = note_stream_verified(target(), task_.tenant, place_, in_milliseconds(held_));
    if (!noted) return std::unexpected(noted.error());
    record_.state = MigrationState::kVerified;
    parts_.observer.entered(record_.state);
    return MigrationResult{MigrationOutcome::kVerified, std::move(verdict)};
  }

  void on_status(const FollowStatus& status) override {
    parts_.online.on_status(status);
    const double lag_ms = static_cast<double>(status.lag.p99_us) / 1000;
    if (!note_stream_applied(target(), task_.tenant, status.applied, status.source, lag_ms))
      hold_lost_.signal();
  }

  void on_fence(const std::string& content, Lsn commit) override {
    parts_.online.on_fence(content, commit);
  }

  const OnlineParts& parts_;
  const MigrationTask& task_;
  std::optional<Coordinator> coordinator_;
  std::string slot_;
  MigrationRecord record_;
  std::unique_ptr<StopWatch> stop_;
  WakeSignal hold_lost_;  // the connection that has the tenant's lock
  WakeSignal compared_;
  WakeTimer timer_;
  std::optional<SteadyStream> stream_;
  Lsn place_;  // of the last comparison
  Duration held_{};
};

}  // namespace

Result<MigrationResult> move_online(const OnlineParts& parts) { return OnlineMove(parts).run(); }

}  // namespace partywall::migrate
