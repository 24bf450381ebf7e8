#include "cli/migrate.h"

#include <cstdio>
#include <thread>

#include "cli/cell_database.h"
#include "cli/conversion_rules.h"
#include "cli/exit_code.h"
#include "cli/migrate_progress.h"
#include "cli/migrate_view.h"
#include "cli/stop_signals.h"
#include "cli/stream_events.h"
#include "migrate/copy/session.h"
#include "migrate/copy/stream_progress.h"
#include "migrate/run/migrate_tenant.h"
#include "migrate/run/online_move.h"
#include "migrate/run/preflight.h"
#include "sql/schema/plan_text.h"

namespace partywall::cli {
namespace {

struct Prepared {
  migrate::MigrationTask task;
  migrate::Subject subject;
};

// The task, and what the source's catalogs say. What is wrong was printed.
std::expected<Prepared, int> prepare(std::string_view command, const MigrateOptions& options) {
  auto place = find_migrate_place(options.to);
  if (!place) return std::unexpected(migrate_wrong_usage(command, place.error()));
  auto rules = load_conversion_rules(options.rules_file);
  if (!rules) return std::unexpected(kExitUsage);
  Prepared prepared{.task = {.source = connection_string(options.source, {}),
                             .target = place->database,
                             .tenant = place->tenant,
                             .slug = place->slug,
                             .rules = *std::move(rules),
                             .use = options.use == MigrateUse::kAtRest
                                        ? migrate::SourceUse::kAtRest
                                        : migrate::SourceUse::kInUse}};
  migrate::MigrationTask& task = prepared.task;
  task.copy.workers = task.verify.workers = options.workers;
  task.copy.bytes_per_second = options.megabytes_per_second << 20;
  task.copy.blocks_per_chunk = options.blocks_per_chunk;
  task.copy.sleep = [](Duration pause) { std::this_thread::sleep_for(pause); };
  Diagnostics diagnostics;
  auto subject = migrate::read_subject(task.source, task.rules, diagnostics);
  if (!print_diagnostics(diagnostics, options.rules_file)) return std::unexpected(kExitUsage);
  if (!subject)
    return std::unexpected(
        migrate_failed(command, fail_with_context("source", subject.error()).error()));
  prepared.subject = *std::move(subject);
  return prepared;
}

void show(const migrate::Verdict& verdict, MigrateFormat format) {
  if (format == MigrateFormat::kJson) {
    fmt::print("{}\n", references_json(verdict.references));
    return;
  }
  for (const migrate::RelationVerdict& one : verdict.relations) fmt::print("{}", verdict_text(one));
  fmt::print("{}", references_text(verdict.references));
}

void conclude(MigrateFormat format, std::string_view outcome, const std::string& text) {
  if (format == MigrateFormat::kJson) {
    fmt::print("{{\"event\":\"end\",\"outcome\":\"{}\"}}\n", outcome);
  } else {
    fmt::print("{}\n", text);
  }
}

// `differs`: what is said where rows differ. Where only references are broken nobody has written to
// the target.
void conclude_unequal(MigrateFormat format, const migrate::Verdict& verdict,
                      const std::string& differs) {
  if (!verdict.rows_are_equal()) {
    conclude(format, "differs", differs);
    return;
  }
  conclude(format, "broken_references",
           "all rows are equal, but rows of the tenant refer to nothing: fill the tables for all "
           "tenants, or correct the source; then run it again");
}

int none_was_begun(std::string_view command, const MigratePlace& place) {
  (void)migrate_failed(
      command, {ErrorKind::kNotFound,
                fmt::format("no migration of tenant {} was begun in this database", place.slug)});
  return kExitNotFound;
}

class Signals final : public migrate::StopWatch {
 public:
  [[nodiscard]] bool has_come() const override { return signals_.has_come(); }
  [[nodiscard]] int descriptor() const override { return signals_.descriptor(); }

 private:
  StopSignals signals_;
};

Result<migrate::MigrationResult> move_online(const Prepared& prepared,
                                             const MigrateOptions& options, const TimeSource& time,
                                             migrate::MigrationObserver& observer) {
  StreamEvents events(options.to.format, "run");
  const migrate::OnlineSettings settings{.left_out = tables_left_out(prepared.task.rules),
                                         .end = options.use == MigrateUse::kOnline
                                                    ? migrate::OnlineEnd::kNever
                                                    : migrate::OnlineEnd::kVerified,
                                         .watch_stop = [] { return std::make_unique<Signals>(); }};
  return migrate::move_online({.task = prepared.task,
                               .settings = settings,
                               .subject = prepared.subject,
                               .time = time,
                               .observer = observer,
                               .online = events});
}

std::string equal_text(const migrate::Verdict& verdict) {
  return fmt::format("{} rows in {} tables are equal in both databases", verdict.rows(),
                     verdict.relations.size());
}

}  // namespace

int migrate_preflight(const MigrateOptions& options) {
  const auto prepared = prepare("preflight", options);
  if (!prepared) return prepared.error();
  const migrate::MigrationTask& task = prepared->task;
  auto target = migrate::open_session(task.target);
  if (!target) return migrate_failed("preflight", target.error());
  const auto findings = migrate::preflight(prepared->subject, task.source, *target, task.tenant,
                                           task.rules, task.use);
  if (!findings) return migrate_failed("preflight", findings.error());
  if (options.to.format == MigrateFormat::kJson) {
    fmt::print("{}\n", findings_json(*findings));
  } else {
    fmt::print("{}", sql::findings_text(*findings));
  }
  const bool forbids = migrate::forbids(*findings);
  conclude(options.to.format, forbids ? "refused" : "ready",
           forbids ? "the errors above stand in the way" : "nothing stands in the way of a copy");
  return forbids ? kExitFailure : kExitSuccess;
}

namespace {

std::string with_kept(std::string text, const migrate::MigrationResult& result) {
  if (!result.kept.empty()) text += ". " + result.kept;
  return text;
}

}  // namespace

int migrate_run(const MigrateOptions& options) {
  const auto prepared = prepare("run", options);
  if (!prepared) return prepared.error();
  const SystemTime time;
  const MigrateFormat format = options.to.format;
  const auto progress = make_progress(format, time);
  const bool is_online = options.use != MigrateUse::kAtRest;
  const auto result =
      is_online ? move_online(*prepared, options, time, *progress)
                : migrate::migrate_tenant(prepared->task, prepared->subject, time, *progress);
  if (!result) return migrate_failed("run", result.error());
  if (result->verdict) show(*result->verdict, format);
  switch (result->outcome) {
    case migrate::MigrationOutcome::kVerified:
      conclude(format, "verified",
               equal_text(*result->verdict) +
                   (is_online ? ". The source keeps its log for the stream: follow it with "
                                "partywall migrate follow, or run this again"
                              : ""));
      return kExitSuccess;
    case migrate::MigrationOutcome::kVerifiedBefore:
      conclude(
          format, "verified_before",
          fmt::format(
              "tenant {} was migrated and verified before; nothing was done. partywall migrate "
              "verify compares both once more",
              prepared->task.slug));
      return kExitSuccess;
    case migrate::MigrationOutcome::kRefused:
      conclude(format, "refused",
               with_kept("the errors above stand in the way; nothing was copied", *result));
      return kExitFailure;
    case migrate::MigrationOutcome::kDiffers:
      conclude_unequal(
          format, *result->verdict,
          is_online ? with_kept("the target differs from the source at the place that both were "
                                "compared at: find out who wrote to it and put it right",
                                *result)
                    : "the target differs from a source that has not changed: find out who wrote "
                      "to it, then begin anew after partywall migrate discard");
      return kExitFailure;
    case migrate::MigrationOutcome::kStopped:
      conclude(
          format, "stopped",
          "stopped. The source keeps its log for the stream: run it again to go on, or give it "
          "up with partywall migrate discard and forget");
      return kExitSuccess;
  }
  return kExitFailure;
}

int migrate_verify(const MigrateOptions& options) {
  const auto prepared = prepare("verify", options);
  if (!prepared) return prepared.error();
  const SystemTime time;
  const MigrateFormat format = options.to.format;
  const auto progress = make_progress(format, time);
  const auto verdict = migrate::verify_tenant(prepared->task, prepared->subject, *progress);
  if (!verdict) return migrate_failed("verify", verdict.error());
  show(*verdict, format);
  if (!verdict->is_equal()) {
    conclude_unequal(format, *verdict,
                     "the databases differ: find out who wrote to one of them, and put it right; "
                     "to copy everything anew, partywall migrate discard --verified-too, then run");
    return kExitFailure;
  }
  conclude(format, "equal", equal_text(*verdict));
  return kExitSuccess;
}

int migrate_status(const MigrateTarget& to) {
  const auto place = find_migrate_place(to);
  if (!place) return migrate_wrong_usage("status", place.error());
  auto target = migrate::open_session(place->database);
  if (!target) return migrate_failed("status", target.error());
  const auto record = migrate::read_migration(*target, place->tenant);
  if (!record) return migrate_failed("status", record.error());
  if (!*record) {
    return none_was_begun("status", *place);
  }
  const auto progress = migrate::read_progress(*target, place->tenant);
  if (!progress) return migrate_failed("status", progress.error());
  const auto stream = migrate::read_stream_note(*target, place->tenant);
  if (!stream) return migrate_failed("status", stream.error());
  if (to.format == MigrateFormat::kJson) {
    fmt::print("{}\n", status_json(**record, *progress, *stream));
  } else {
    fmt::print("{}", status_text(**record, *progress, *stream));
  }
  return kExitSuccess;
}

int migrate_discard(const MigrateTarget& to, DiscardScope scope) {
  const auto place = find_migrate_place(to);
  if (!place) return migrate_wrong_usage("discard", place.error());
  const auto discarded =
      migrate::discard_tenant(place->database, place->tenant,
                              scope == DiscardScope::kVerifiedToo ? migrate::DiscardVerified::kYes
                                                                  : migrate::DiscardVerified::kNo);
  if (!discarded) return migrate_failed("discard", discarded.error());
  if (*discarded == migrate::DiscardOutcome::kNoneBegun) return none_was_begun("discard", *place);
  if (*discarded == migrate::DiscardOutcome::kIsVerified) {
    (void)migrate_failed(
        "discard",
        {ErrorKind::kDenied,
         fmt::format("the migration of tenant {} is verified, and its users may work with these "
                     "rows: say --verified-too if they are to be deleted",
                     place->slug)});
    return kExitDenied;
  }
  conclude(to.format, "discarded",
           fmt::format("the rows of tenant {} are deleted, and the migration is forgotten",
                       place->slug) +
               (*discarded == migrate::DiscardOutcome::kDiscardedButStream
                    ? ". The source still keeps its log for the stream of changes: partywall "
                      "migrate forget gives it up"
                    : ""));
  return kExitSuccess;
}

}  // namespace partywall::cli
