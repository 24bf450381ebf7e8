#include "migrate/run/online_copy.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/random.h"
#include "migrate/copy/stream_progress.h"
#include "migrate/passing.h"
#include "migrate/schema/qualified_name.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;

// A snapshot that is lost again and again: the source, or the way to it, is not fit for a copy.
constexpr uint32_t kMaxPictures = 20;

// Which files hold the relations: another one was emptied or written anew.
using FileNodes = std::map<std::string, std::string>;

Result<FileNodes> read_file_nodes(Connection& source, const std::vector<Relation>& relations) {
  FileNodes nodes;
  for (const Relation& relation : relations) {
    const auto node =
        source.execute("SELECT pg_relation_filenode($1::text::regclass)", {relation.name});
    if (!node) return fail_with_context("source: " + relation.name, node.error());
    nodes.emplace(relation.name, node->text(0));
  }
  return nodes;
}

Result<Connection> connect(const std::string& database, std::string_view which) {
  auto connection = open_session(database);
  if (!connection) return fail_with_context(which, connection.error());
  return connection;
}

// Rows of a table that is not in the stream would stay as they were when they were copied.
Result<> check_followed_tables(const OnlineParts& parts, const StreamPlan& plan) {
  for (const Relation& relation : parts.subject.relations) {
    const auto name = qualified_name(relation.name);
    const auto table = plan.source_tables.find(std::pair(name.schema, name.name));
    if (table != plan.source_tables.end() && plan.publication.tables.contains(table->second.root) &&
        !table->second.is_unlogged)
      continue;
    return fail(ErrorKind::kConflict,
                "the changes of table {} cannot be followed{}: exclude it in the rules, or copy "
                "it without --online while nobody writes",
                relation.name,
                table != plan.source_tables.end() && table->second.is_unlogged
                    ? ", because it is UNLOGGED; ALTER TABLE … SET LOGGED changes that"
                    : "");
  }
  return {};
}

class OnlineCopy {
 public:
  OnlineCopy(const OnlineParts& parts, const MigrationRecord& record, Coordinator& coordinator)
      : parts_(parts),
        record_(record),
        coordinator_(coordinator),
        snapshot_(parts.task.source, WhenLost::kFail) {}

  Result<CopyEnd> run() {
    if (auto copied = copy_all(); !copied && !is_stopped_) return std::unexpected(copied.error());
    return is_stopped_ ? CopyEnd::kStopped : CopyEnd::kComplete;
  }

 private:
  Connection& target() { return coordinator_.target(); }

  Result<> copy_all() {
    if (auto prepared = prepare(); !prepared) return prepared;
    while (true) {
      if (auto held = coordinator_.keep_hold(); !held) return held;
      auto chunks = read_pending_chunks(target(), record_.tenant);
      if (!chunks) return std::unexpected(chunks.error());
      if (chunks->empty()) return {};
      if (snapshot_.taken() == 0 || snapshot_.is_lost()) {
        if (auto taken = take_picture(); !taken) return taken;
        continue;
      }
      if (auto copied = copy(*std::move(chunks)); !copied) return copied;
    }
  }

  Result<> prepare() {
    auto source = connect(parts_.task.source, "source");
    if (!source) return std::unexpected(source.error());
    const StreamSettings settings = stream_settings(parts_, CopiedRows::kUnderWay);
    auto plan = plan_stream(*source, target(), settings);
    if (!plan) return std::unexpected(plan.error());
    name_ = plan->name;
    if (auto followed = check_followed_tables(parts_, *plan); !followed) return followed;
    const auto nodes = read_file_nodes(*source, parts_.subject.relations);
    if (!nodes) return std::unexpected(nodes.error());
    const auto stop = parts_.settings.watch_stop();
    auto prepared = prepare_stream(*source, target(), settings, *plan, on_waiting(*stop));
    if (!prepared) return std::unexpected(prepared.error());
    parts_.online.on_prepared(*plan, *prepared);
    if (auto wanted = still_wanted(*stop); !wanted) return wanted;
    if (!prepared->slot) return go_on(*source);
    const ReplicationSlot& slot = prepared->slot->slot();
    if (auto begun = begin_at(slot.consistent_lsn); !begun) return begun;
    const auto fits = adopt(slot.snapshot_name, *nodes, *source);
    if (!fits) return std::unexpected(fits.error());
    if (auto wanted = still_wanted(*stop); !wanted) return wanted;
    return *fits ? Result<>{} : take_picture();
  }

  // A signal that came while nothing asked for it is lost with what watched for it.
  Result<> still_wanted(const StopWatch& stop) {
    is_stopped_ = is_stopped_ || stop.has_come();
    if (!is_stopped_) return {};
    return fail(ErrorKind::kClosed, "stopped while the copy of the rows was prepared");
  }

  OnWaiting on_waiting(const StopWatch& stop) {
    return [this, &stop](const std::vector<std::string>& waiting) {
      if (!waiting.empty() && waiting != shown_) parts_.online.on_waiting(waiting);
      shown_ = waiting;
      is_stopped_ = is_stopped_ || stop.has_come();
      return !is_stopped_;
    };
  }

  // The stream was made before. Whoever follows it now would apply changes of rows that are not
  // there yet.
  Result<> go_on(Connection& source) {
    for (uint32_t failures = 1;; ++failures) {
      const auto active = source.execute(
          "SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1 AND active", {name_});
      if (!active) return fail_with_context("source", active.error());
      if (active->empty()) break;
      if (failures >= parts_.task.copy.max_failures) {
        return fail(ErrorKind::kConflict,
                    "the stream {} is followed by another process (process {} of the source): stop "
                    "it, then run this again",
                    name_, active->text(0));
      }
      parts_.task.copy.sleep(backoff_pause(parts_.task.copy.backoff, failures));
    }
    const auto progress =
        target().execute("SELECT pg_catalog.pg_replication_origin_progress($1, false)", {name_});
    if (!progress) return fail_with_context("target", progress.error());
    const auto place = parse_lsn(progress->text(0));
    if (!place) return std::unexpected(place.error());
    return begin_at(*place);
  }

  // What was copied for a stream that has begun elsewhere misses changes.
  Result<> begin_at(Lsn place) {
    const auto note = read_stream_note(target(), record_.tenant);
    if (!note) return std::unexpected(note.error());
    if (*note && (*note)->begins == place) return {};
    const auto progress = read_progress(target(), record_.tenant);
    if (!progress) return std::unexpected(progress.error());
    for (const RelationProgress& one : *progress) {
      if (one.chunks_done == 0) continue;
      parts_.observer.restarted(one.relation, "the stream of changes has begun anew");
      if (auto done = restart(one, std::nullopt); !done) return done;
    }
    return note_stream_begins(target(), record_.tenant, place);
  }

  Result<> restart(const RelationProgress& one, std::optional<Lsn> begins) {
    return restart_relation(target(), record_, *find_relation(parts_.subject, one.relation),
                            blocks_per_chunk(parts_.task, parts_.subject), begins);
  }

  // False: a table was emptied or written anew after the picture was taken and before it could be
  // locked; then the picture does not show its rows.
  Result<bool> adopt(const std::string& exported, const FileNodes& nodes, Connection& source) {
    if (auto connected = snapshot_.connect(); !connected)
      return fail_with_context("source", connected.error());
    if (auto adopted = snapshot_.adopt(exported); !adopted)
      return fail_with_context("source", adopted.error());
    std::vector<std::string> names;
    for (const Relation& relation : parts_.subject.relations) names.push_back(relation.name);
    if (!names.empty()) {
      if (auto locked = snapshot_.lock(names); !locked)
        return fail_with_context("source", locked.error());
    }
    const auto now = read_file_nodes(source, parts_.subject.relations);
    if (!now) return std::unexpected(now.error());
    return *now == nodes;
  }

  // Of the source as it is now, with the place of its log that it is of. What is not complete is
  // copied from its beginning under it; of what is, the stream has all that came later.
  Result<> take_picture() {
    for (uint32_t failures = 0;;) {
      if (++pictures_ > kMaxPictures) {
        return fail(ErrorKind::kUnavailable,
                    "the snapshot of the source was lost {} times while rows were copied: find out "
                    "why its connections end, then run it again",
                    kMaxPictures);
      }
      const auto place = try_take_picture();
      if (place && *place) return copy_from(**place);
      if (place) continue;
      if (is_stopped_ || !may_pass(place.error()) || ++failures >= parts_.task.copy.max_failures)
        return std::unexpected(place.error());
      --pictures_;
      const Duration pause = backoff_pause(parts_.task.copy.backoff, failures);
      parts_.online.on_retry(place.error(), pause);
      parts_.task.copy.sleep(pause);
    }
  }

  // Nothing: a table was changed meanwhile.
  Result<std::optional<Lsn>> try_take_picture() {
    auto source = connect(parts_.task.source, "source");
    if (!source) return std::unexpected(source.error());
    const auto nodes = read_file_nodes(*source, parts_.subject.relations);
    if (!nodes) return std::unexpected(nodes.error());
    auto replication = postgres::ReplicationConnection::open(parts_.task.source);
    if (!replication) return fail_with_context("source", replication.error());
    const auto stop = parts_.settings.watch_stop();
    const auto slot = NewSlot::create_temporary(
        *std::move(replication), name_ + "_" + std::to_string(SystemRandom().below(10'000)),
        [&] { return on_waiting(*stop)(open_transactions(*source)); }, milliseconds(250));
    if (!slot) return std::unexpected(slot.error());
    if (auto wanted = still_wanted(*stop); !wanted) return std::unexpected(wanted.error());
    const auto fits = adopt(slot->slot().snapshot_name, *nodes, *source);
    if (!fits) return std::unexpected(fits.error());
    if (auto wanted = still_wanted(*stop); !wanted) return std::unexpected(wanted.error());
    if (!*fits) return std::nullopt;
    return slot->slot().consistent_lsn;
  }

  Result<> copy_from(Lsn place) {
    if (auto held = coordinator_.keep_hold(); !held) return held;
    const auto progress = read_progress(target(), record_.tenant);
    if (!progress) return std::unexpected(progress.error());
    for (const RelationProgress& one : *progress) {
      if (one.chunks_done == one.chunks) continue;
      if (one.chunks_done > 0)
        parts_.observer.restarted(one.relation, "the snapshot that it was copied under is gone");
      if (auto done = restart(one, place); !done) return done;
    }
    parts_.online.on_picture(place);
    return {};
  }

  Result<> copy(std::vector<Chunk> chunks) {
    const auto progress = read_progress(target(), record_.tenant);
    if (!progress) return std::unexpected(progress.error());
    parts_.observer.copying(*progress);
    CopyTask task{.target = parts_.task.target, .migration = record_, .chunks = std::move(chunks)};
    for (const Relation& relation : parts_.subject.relations)
      task.relations.emplace(relation.name, relation);
    const auto outcome =
        copy_chunks(task, snapshot_, parts_.task.copy, parts_.time, parts_.observer);
    if (!outcome) {
      if (snapshot_.is_lost()) return {};  // then another is taken
      return std::unexpected(outcome.error());
    }
    if (outcome->refused.empty()) return {};
    // All of them are of one picture, in which keys are kept.
    const auto& [name, message] = *outcome->refused.begin();
    return fail(
        ErrorKind::kConflict,
        "copying {}: {}. Somebody else has written to the tenant's rows in the target: find "
        "out who, then begin anew after partywall migrate discard",
        name, message);
  }

  const OnlineParts& parts_;
  const MigrationRecord& record_;
  Coordinator& coordinator_;
  Snapshot snapshot_;
  std::string name_;  // of the stream
  std::vector<std::string> shown_;
  uint32_t pictures_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

Result<> check_online(const OnlineParts& parts, Connection& target) {
  auto source = connect(parts.task.source, "source");
  if (!source) return std::unexpected(source.error());
  const auto plan = plan_stream(*source, target, stream_settings(parts, CopiedRows::kUnderWay));
  if (!plan) return std::unexpected(plan.error());
  return check_followed_tables(parts, *plan);
}

Result<CopyEnd> copy_online(const OnlineParts& parts, const MigrationRecord& record,
                            Coordinator& coordinator) {
  return OnlineCopy(parts, record, coordinator).run();
}

}  // namespace partywall::migrate
