#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engines/postgres_pipeline.h"
#include "migrate/apply/applier.h"

namespace partywall::migrate {

struct TargetSettings {
  std::string connection;  // as libpq takes it
  std::string origin;      // replication origin whose progress is written with every transaction
  // Statements without a result and their values, beyond which has_room() says no.
  size_t max_outstanding = 4'096;
  size_t max_outstanding_bytes = size_t{8} << 20;
};

// Applies in the target, over one connection and without waiting for one statement before the next
// is sent.
//
// The place up to which the source's log is applied is written by the target's own commit, in the
// same record: so after a crash of anything, both or neither are there. No sync is sent while a
// result is outstanding: after a failure the server skips every later statement, and with them
// every later transaction.
//
// Triggers and foreign keys of the target do not act (session_replication_role): what they do was
// done in the source and is in the stream. Row-level security must not hide rows: the user bypasses
// it, and each statement names the tenant; where it would apply, statements fail (row_security).
class TargetSession final : public ApplySink {
 public:
  // Called for each transaction, in their order, when the target has committed it (or had nothing
  // to do for it).
  using OnApplied = std::function<void(const TransactionEnd&)>;

  // kConflict: the origin is in use by another session, which may be one that is just ending.
  static Result<TargetSession> open(const TargetSettings& settings, OnApplied on_applied);

  // Where the stream must begin: the end of the last transaction that is in the target.
  [[nodiscard]] Lsn applied_at_start() const { return applied_at_start_; }

  Result<> begin() override;
  Result<> change(const ChangeStatement& statement,
                  std::span<const pgoutput::Value> values) override;
  Result<> commit(TransactionEnd end) override;
  Result<> pass(TransactionEnd end) override;
  // Moves the origin's progress to a place up to which the source had nothing for the target, by a
  // transaction that does nothing else; OnApplied is not called for it. Only when is_idle().
  Result<> mark(Lsn place, ServerTime at);

  // Whether more should be sent now; no once prepare_to_rest() was called, until the rest is over.
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool is_idle() const { return expected_.empty() && ends_.empty(); }

  // Hands over what was sent and asks for its results.
  Result<> push();
  // Whether the socket must be waited for until it can be written to.
  [[nodiscard]] bool wants_to_write() const { return wants_to_write_; }
  // Takes what has arrived. A failure is the end of the session. kConflict: source and target have
  // parted. kUnavailable: a new session may succeed.
  Result<> read();

  // Waits until every transaction that was committed here is, and no longer than the server takes.
  Result<> finish_transactions();

  // Asks for durable(), and lets the server do once what it does only between pipelines: report
  // statistics, on which autovacuum goes.
  Result<> prepare_to_rest();
  // Every transaction up to here survives a crash of the target.
  [[nodiscard]] Lsn durable() const { return durable_; }
  // The origin's progress, by what the target has committed.
  [[nodiscard]] Lsn committed() const { return committed_; }

  [[nodiscard]] int socket() const { return pipeline_.socket(); }

 private:
  enum class Kind : uint8_t { kPrepare, kControl, kChange, kCommit, kProgress, kSync };
  struct Expected {
    Kind kind;
    RowsChanged rows = RowsChanged::kAny;
    uint32_t statement = kNotPrepared;
    uint32_t bytes = 0;
  };
  enum class EndKind : uint8_t {
    kCommitted,
    kPassed,  // there was nothing to commit
    kMark,
  };
  struct End {
    TransactionEnd transaction;
    EndKind kind;
  };

  TargetSession(postgres::Pipeline pipeline, const TargetSettings& settings, OnApplied on_applied)
      : pipeline_(std::move(pipeline)), settings_(settings), on_applied_(std::move(on_applied)) {}
  Result<> set_up();
  Result<> control(const char* statement, std::span<const char* const> values, Kind kind);
  Result<> commit_as(EndKind kind, TransactionEnd end);
  Result<> prepare(const ChangeStatement& statement);
  Result<> take(const Expected& expected, postgres::PostgresResult<postgres::Rows> result);
  void applied_one();
  void report_passed();
  void expect(Expected expected);
  [[nodiscard]] std::unexpected<Error> failed(const Expected& expected,
                                              const postgres::PostgresError& cause) const;

  postgres::Pipeline pipeline_;
  TargetSettings settings_;
  OnApplied on_applied_;
  Lsn applied_at_start_;
  Lsn committed_;
  Lsn durable_;
  std::deque<Expected> expected_;
  size_t outstanding_bytes_ = 0;
  std::deque<End> ends_;
  // What each prepared statement does, for messages.
  std::unordered_map<uint32_t, std::string> prepared_;
  bool has_unrequested_ = false;
  bool wants_to_write_ = false;
  bool wants_to_rest_ = false;
  std::string arena_;  // a statement's values, each ended by a zero byte
  std::vector<const char*> values_;
};

}  // namespace partywall::migrate
