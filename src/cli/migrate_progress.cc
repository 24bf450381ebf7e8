#include "cli/migrate_progress.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/migrate_view.h"
#include "cli/output.h"
#include "sql/schema/plan_text.h"

namespace partywall::cli {
namespace {

using migrate::Chunk;
using migrate::MigrationState;
using migrate::RelationProgress;
using migrate::RelationVerdict;

constexpr Duration kBetweenDrawings = milliseconds(200);
constexpr Duration kBetweenLines = seconds(1);

// What every form shows: how far the relations have come.
class CopyState {
 public:
  explicit CopyState(const TimeSource& time) : time_(time), begun_(time.monotonic()) {}

  void begin(const std::vector<RelationProgress>& progress) {
    view_ = {};
    begun_ = time_.monotonic();
    for (const RelationProgress& one : progress) {
      view_.relations.push_back({.name = one.relation,
                                 .rows = one.sum.rows,
                                 .chunks = one.chunks,
                                 .finished = one.chunks_done,
                                 .blocks = one.blocks});
    }
    view_.share_before = share_done(view_.relations);
  }

  RelationView& relation(const std::string& name) {
    return *std::ranges::find(view_.relations, name, &RelationView::name);
  }

  void moved(const std::string& name, uint64_t rows) {
    relation(name).rows += rows;
    view_.rows_now += rows;
  }

  void rolled_back(const std::string& name, uint64_t rows) {
    relation(name).rows -= rows;
    view_.rows_now -= rows;
  }

  const CopyView& view() {
    view_.elapsed = time_.monotonic() - begun_;
    return view_;
  }

  // True at most once in so long.
  bool is_due(Duration pause) {
    const MonotonicTime now = time_.monotonic();
    if (now - shown_ < pause) return false;
    shown_ = now;
    return true;
  }

 private:
  const TimeSource& time_;
  MonotonicTime begun_;
  MonotonicTime shown_{};
  CopyView view_;
};

class JsonLines final : public migrate::MigrationObserver {
 public:
  explicit JsonLines(const TimeSource& time) : state_(time) {}

  void found(const std::vector<sql::SchemaFinding>& findings) override {
    print(findings_json(findings));
  }

  void copying(const std::vector<RelationProgress>& progress) override {
    const std::lock_guard lock(mutex_);
    state_.begin(progress);
    for (const RelationProgress& one : progress) print(relation_json("relation", one));
  }

  void moved(const std::string& relation, uint64_t rows, uint64_t /*bytes*/) override {
    const std::lock_guard lock(mutex_);
    state_.moved(relation, rows);
    if (state_.is_due(kBetweenLines)) print_progress();
  }

  void chunk_done(const Chunk& chunk) override {
    const std::lock_guard lock(mutex_);
    RelationView& view = state_.relation(chunk.relation);
    if (++view.finished == view.chunks) {
      print(event("relation_copied", [&](JsonWriter& json) {
        json.key("relation").value(view.name).key("rows").value(view.rows);
      }));
    }
  }

  void interrupted(const Chunk& chunk, uint64_t rows, uint64_t /*bytes*/, const Error& error,
                   Duration pause) override {
    const std::lock_guard lock(mutex_);
    state_.rolled_back(chunk.relation, rows);
    print(event("interrupted", [&](JsonWriter& json) {
      json.key("relation").value(chunk.relation).key("message").value(error.message);
      json.key("again_in_ms")
          .value(static_cast<int64_t>(std::chrono::duration_cast<milliseconds>(pause).count()));
    }));
  }

  void restarted(const std::string& relation, const std::string& why) override {
    print(event("restarted", [&](JsonWriter& json) {
      json.key("relation").value(relation).key("why").value(why);
    }));
  }

  void entered(MigrationState state) override {
    print(event("state", [&](JsonWriter& json) { json.key("state").value(to_string(state)); }));
  }

  void verifying() override {
    print(event("verifying", [](JsonWriter&) {}));
  }

  void compared(const RelationVerdict& verdict) override {
    const std::lock_guard lock(mutex_);
    print(verdict_json(verdict));
  }

 private:
  template <class Write>
  static std::string event(std::string_view name, const Write& write) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("event").value(name);
    write(json);
    json.end_object();
    return text;
  }

  static void print(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }

  void print_progress() {
    const CopyView& view = state_.view();
    const double elapsed = std::chrono::duration<double>(view.elapsed).count();
    print(event("progress", [&](JsonWriter& json) {
      json.key("share").value(share_done(view.relations)).key("rows").value(view.rows_now);
      json.key("rows_per_second")
          .value(elapsed > 0 ? static_cast<double>(view.rows_now) / elapsed : 0.0);
    }));
  }

  std::mutex mutex_;
  CopyState state_;
};

class Text final : public migrate::MigrationObserver {
 public:
  explicit Text(const TimeSource& time)
      : state_(time), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

  void found(const std::vector<sql::SchemaFinding>& findings) override {
    fmt::print(stderr, "{}", sql::findings_text(findings));
  }

  void copying(const std::vector<RelationProgress>& progress) override {
    const std::lock_guard lock(mutex_);
    state_.begin(progress);
  }

  void moved(const std::string& relation, uint64_t rows, uint64_t /*bytes*/) override {
    const std::lock_guard lock(mutex_);
    state_.moved(relation, rows);
    if (is_terminal_ && state_.is_due(kBetweenDrawings)) draw();
  }

  void chunk_done(const Chunk& chunk) override {
    const std::lock_guard lock(mutex_);
    RelationView& view = state_.relation(chunk.relation);
    if (++view.finished < view.chunks) return;
    say(fmt::format("{}: {} rows copied", printable(view.name), view.rows));
  }

  void interrupted(const Chunk& chunk, uint64_t rows, uint64_t /*bytes*/, const Error& error,
                   Duration pause) override {
    const std::lock_guard lock(mutex_);
    state_.rolled_back(chunk.relation, rows);
    if (pause == Duration::zero()) return;  // how it goes on is said by whoever decides it
    say(fmt::format("{}: {}; again in {}", printable(chunk.relation), printable(error.message),
                    format_duration(pause)));
  }

  void restarted(const std::string& relation, const std::string& why) override {
    const std::lock_guard lock(mutex_);
    say(fmt::format("{} is copied again: {}", printable(relation), printable(why)));
  }

  void entered(MigrationState state) override {
    const std::lock_guard lock(mutex_);
    if (state == MigrationState::kCopied) say("all rows are copied, the sequences go on");
  }

  void verifying() override {
    const std::lock_guard lock(mutex_);
    say("comparing both databases");
  }

  void compared(const RelationVerdict& verdict) override {
    const std::lock_guard lock(mutex_);
    if (!verdict.is_equal) say(fmt::format("{} differs", printable(verdict.relation)));
  }

 private:
  // Lines above the bars.
  void say(const std::string& line) {
    erase();
    fmt::print(stderr, "{}\n", line);
  }

  void draw() {
    erase();
    winsize size{};
    const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const auto lines = progress_lines(state_.view(), is_known ? size.ws_col - 1U : 79U,
                                      is_known ? size.ws_row / 2U + 1U : 10U);
    for (const std::string& line : lines) fmt::print(stderr, "{}\n", line);
    drawn_ = lines.size();
  }

  // The bars that were drawn: up so many lines, and everything below.
  void erase() {
    if (drawn_ > 0) fmt::print(stderr, "\033[{}A\033[J", drawn_);
    drawn_ = 0;
  }

  std::mutex mutex_;
  CopyState state_;
  bool is_terminal_;
  size_t drawn_ = 0;
};

}  // namespace

std::unique_ptr<migrate::MigrationObserver> make_progress(MigrateFormat format,
                                                          const TimeSource& time) {
  if (format == MigrateFormat::kJson) return std::make_unique<JsonLines>(time);
  return std::make_unique<Text>(time);
}

}  // namespace partywall::cli
