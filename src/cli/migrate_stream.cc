#include "cli/migrate_stream.h"

#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "base/backoff.h"
#include "cli/cell_database.h"
#include "cli/conversion_rules.h"
#include "cli/exit_code.h"
#include "cli/stop_signals.h"
#include "cli/stream_events.h"
#include "migrate/passing.h"

namespace partywall::cli {
namespace {

using migrate::StreamSettings;

// Nothing: what is wrong was printed.
std::optional<StreamSettings> read_settings(std::string_view command,
                                            const MigrateStreamOptions& options) {
  const auto place = find_migrate_place(options.to);
  if (!place) {
    (void)migrate_wrong_usage(command, place.error());
    return std::nullopt;
  }
  const auto rules = load_conversion_rules(options.rules_file);
  if (!rules) return std::nullopt;
  StreamSettings settings;
  settings.source = connection_string(options.source, {});
  settings.target = place->database;
  settings.tenant = place->tenant;
  settings.tenant_column = rules->tenant_column;
  settings.left_out = tables_left_out(*rules);
  return settings;
}

Result<postgres::Connection> connect(const std::string& database, std::string_view which) {
  auto connection = postgres::Connection::open(database);
  if (!connection) return fail_with_context(which, connection.error());
  return *std::move(connection);
}

struct Stream {
  migrate::StreamPlan plan;
  migrate::Preparation preparation;
};

Result<Stream> prepare(const StreamSettings& settings, StreamEvents& events,
                       const StopSignals& signals) {
  auto source = connect(settings.source, "source");
  if (!source) return std::unexpected(source.error());
  auto target = connect(settings.target, "target");
  if (!target) return std::unexpected(target.error());
  auto plan = migrate::plan_stream(*source, *target, settings);
  if (!plan) return std::unexpected(plan.error());
  std::vector<std::string> shown;
  auto preparation = migrate::prepare_stream(*source, *target, settings, *plan,
                                             [&](const std::vector<std::string>& waiting) {
                                               if (!waiting.empty() && waiting != shown)
                                                 events.on_waiting(waiting);
                                               shown = waiting;
                                               return !signals.has_come();
                                             });
  if (!preparation) return std::unexpected(preparation.error());
  events.on_prepared(*plan, *preparation);
  return Stream{*std::move(plan), *std::move(preparation)};
}

// Of a stream that was followed, after its connections were lost.
Result<migrate::StreamPlan> plan_again(const StreamSettings& settings) {
  auto source = connect(settings.source, "source");
  if (!source) return std::unexpected(source.error());
  auto target = connect(settings.target, "target");
  if (!target) return std::unexpected(target.error());
  return migrate::plan_resumption(*source, *target, settings);
}

class FollowCommand {
 public:
  FollowCommand(StreamSettings settings, std::optional<migrate::Lsn> until, MigrateFormat format)
      : settings_(std::move(settings)), until_(until), events_(format) {}

  int run() {
    auto stream = prepare(settings_, events_, signals_);
    if (!stream)
      return signals_.has_come() ? kExitSuccess : migrate_failed("follow", stream.error());
    stream->preparation.slot.reset();
    plan_ = std::move(stream->plan);
    Backoff backoff({.first = milliseconds(200), .longest = seconds(10)});
    for (bool is_again = false;; is_again = true) {
      const MonotonicTime began = time_.monotonic();
      const auto end = is_again ? resume() : follow();
      if (end) return kExitSuccess;
      if (signals_.has_come()) return stopped();
      if (!is_passing(end.error())) return migrate_failed("follow", end.error());
      if (time_.monotonic() - began > seconds(30)) backoff.succeeded();
      backoff.failed(time_.monotonic());
      const Duration pause = backoff.retry_at() - time_.monotonic();
      events_.on_retry(end.error(), pause);
      signals_.wait(static_cast<int>(std::chrono::ceil<milliseconds>(pause).count()));
      if (signals_.has_come()) return stopped();
    }
  }

 private:
  // An earlier follower of the stream, or its server process, may be just ending.
  [[nodiscard]] bool is_passing(const Error& error) const {
    return migrate::may_pass(error) || (error.kind == ErrorKind::kConflict && is_opening_);
  }

  int stopped() {
    events_.on_end("stopped", applied_, plan_.name);
    return kExitSuccess;
  }

  // With the connections more may have been lost: the slot, or what the target remembers.
  Result<> resume() {
    is_opening_ = false;
    auto plan = plan_again(settings_);
    if (!plan) return std::unexpected(plan.error());
    plan_ = *std::move(plan);
    return follow();
  }

  Result<> follow() {
    is_opening_ = true;
    auto follower = migrate::Follower::open(
        {.stream = settings_, .wake_descriptors = {signals_.descriptor()}}, plan_, events_, time_);
    if (!follower) return std::unexpected(follower.error());
    is_opening_ = false;
    const auto end = (*follower)->run(until_);
    applied_ = (*follower)->applied();
    if (!end) return std::unexpected(end.error());
    events_.on_end(*end == migrate::FollowEnd::kReached ? "reached" : "stopped", applied_,
                   plan_.name);
    return {};
  }

  StreamSettings settings_;
  std::optional<migrate::Lsn> until_;
  StreamEvents events_;
  StopSignals signals_;
  SystemTime time_;
  migrate::StreamPlan plan_;
  migrate::Lsn applied_;
  bool is_opening_ = false;
};

}  // namespace

int migrate_follow(const MigrateStreamOptions& options) {
  std::optional<migrate::Lsn> until;
  if (!options.until_lsn.empty()) {
    const auto lsn = migrate::parse_lsn(options.until_lsn);
    if (!lsn) return migrate_wrong_usage("follow", lsn.error());
    until = *lsn;
  }
  auto settings = read_settings("follow", options);
  if (!settings) return kExitUsage;
  return FollowCommand(*std::move(settings), until, options.to.format).run();
}

int migrate_slot(const MigrateStreamOptions& options) {
  const auto settings = read_settings("slot", options);
  if (!settings) return kExitUsage;
  StreamEvents events(options.to.format);
  const StopSignals signals;
  const auto stream = prepare(*settings, events, signals);
  if (!stream) return signals.has_come() ? kExitSuccess : migrate_failed("slot", stream.error());
  if (!stream->preparation.slot) {
    return migrate_failed(
        "slot", {ErrorKind::kConflict,
                 "the stream has begun already, and its snapshot is gone. Follow it, or begin "
                 "anew after partywall migrate forget"});
  }
  while (!signals.has_come()) signals.wait(-1);
  return kExitSuccess;
}

int migrate_forget(const MigrateStreamOptions& options) {
  const auto settings = read_settings("forget", options);
  if (!settings) return kExitUsage;
  auto source = connect(settings->source, "source");
  if (!source) return migrate_failed("forget", source.error());
  auto target = connect(settings->target, "target");
  if (!target) return migrate_failed("forget", target.error());
  const auto removed = migrate::forget_stream(*source, *target, settings->tenant);
  if (!removed) return migrate_failed("forget", removed.error());
  StreamEvents(options.to.format).on_forgotten(*removed);
  return kExitSuccess;
}

}  // namespace partywall::cli
