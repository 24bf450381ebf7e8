#include "migrate/apply/target_session.h"

#include <fmt/format.h>
#include <poll.h>

#include "engines/postgres_settings.h"
#include "migrate/passing.h"

namespace partywall::migrate {
namespace {

using pgoutput::Value;
using pgoutput::ValueKind;
using postgres::Pipeline;
using postgres::PostgresError;
using postgres::PostgresResult;
using postgres::Rows;

// synchronous_commit: a commit that is lost with the machine is applied again, because the origin's
// progress is lost with it, and the source keeps what durable() has not reached.
constexpr std::string_view kSessionOptions =
    "-c session_replication_role=replica -c row_security=off -c synchronous_commit=off "
    "-c plan_cache_mode=force_generic_plan -c search_path=pg_catalog -c lock_timeout=0";

constexpr const char* kBegin = "begin";
constexpr const char* kOriginSetup = "origin";
constexpr const char* kTransactionId = "xid";
constexpr const char* kCommit = "commit";
constexpr const char* kProgress = "progress";

constexpr std::pair<const char*, const char*> kControlStatements[] = {
    {kBegin, "BEGIN"},
    {kOriginSetup, "SELECT pg_catalog.pg_replication_origin_xact_setup($1, $2)"},
    {kTransactionId, "SELECT pg_catalog.pg_current_xact_id()"},
    {kCommit, "COMMIT"},
    {kProgress, "SELECT pg_catalog.pg_replication_origin_session_progress(true)"},
};

constexpr std::string_view kObjectInUse = "55006";

// What may go well the next time, in another session.
bool is_passing(const PostgresError& error) {
  return may_pass(error) || error.sqlstate == "40001" || error.sqlstate == "40P01" ||
         error.sqlstate == "55P03";
}

Lsn lsn_of(const Rows& rows) {
  if (rows.empty() || rows.is_null(0)) return {};
  const auto lsn = parse_lsn(rows.text(0));
  return lsn ? *lsn : Lsn{};
}

Result<> passed_on(PostgresResult<> done) {
  if (done) return {};
  return fail_with_context("target", done.error());
}

}  // namespace

Result<TargetSession> TargetSession::open(const TargetSettings& settings, OnApplied on_applied) {
  auto pipeline = Pipeline::open(settings.connection,
                                 fmt::format("{} {}", postgres::kPortableValues, kSessionOptions));
  if (!pipeline) return fail_with_context("target", pipeline.error());
  TargetSession session(*std::move(pipeline), settings, std::move(on_applied));
  if (auto done = session.set_up(); !done) return std::unexpected(done.error());
  return session;
}

Result<> TargetSession::set_up() {
  const auto owned =
      pipeline_.execute(fmt::format("SELECT pg_catalog.pg_replication_origin_session_setup({})",
                                    postgres::quote_literal(settings_.origin)));
  if (!owned) {
    const ErrorKind kind =
        owned.error().sqlstate == kObjectInUse ? ErrorKind::kConflict : owned.error().kind;
    return fail_with_context("target", Error{kind, owned.error().message});
  }
  // Only now: whoever had the origin before may still have been committing.
  const auto progress =
      pipeline_.execute("SELECT pg_catalog.pg_replication_origin_session_progress(true)");
  if (!progress) return fail_with_context("target", progress.error());
  applied_at_start_ = committed_ = durable_ = lsn_of(*progress);
  if (auto entered = pipeline_.enter(); !entered)
    return fail_with_context("target", entered.error());
  for (const auto& [name, sql] : kControlStatements) {
    if (auto sent = passed_on(pipeline_.prepare(name, sql, {})); !sent) return sent;
    expect({.kind = Kind::kControl});
  }
  return push();
}

void TargetSession::expect(Expected expected) {
  outstanding_bytes_ += expected.bytes;
  has_unrequested_ = true;
  expected_.push_back(expected);
}

Result<> TargetSession::control(const char* statement, std::span<const char* const> values,
                                Kind kind) {
  if (auto sent = passed_on(pipeline_.execute_prepared(statement, values)); !sent) return sent;
  expect({.kind = kind});
  return {};
}

Result<> TargetSession::begin() { return control(kBegin, {}, Kind::kControl); }

Result<> TargetSession::prepare(const ChangeStatement& statement) {
  if (statement.number == kNotPrepared || prepared_.contains(statement.number)) return {};
  prepared_.emplace(statement.number, statement.doing);
  auto sent = passed_on(
      pipeline_.prepare(fmt::format("s{}", statement.number), statement.sql, statement.types));
  if (sent) expect({.kind = Kind::kPrepare, .statement = statement.number});
  return sent;
}

Result<> TargetSession::change(const ChangeStatement& statement, std::span<const Value> values) {
  if (auto prepared = prepare(statement); !prepared) return prepared;
  size_t length = 0;
  for (const Value& value : values) length += value.text.size() + 1;
  arena_.clear();
  arena_.reserve(length);  // it must not move: values point into it
  values_.clear();
  for (const Value& value : values) {
    if (value.kind == ValueKind::kNull) {
      values_.push_back(nullptr);
      continue;
    }
    values_.push_back(arena_.data() + arena_.size());
    arena_.append(value.text).push_back('\0');
  }
  auto sent = statement.number == kNotPrepared
                  ? pipeline_.execute_once(statement.sql, statement.types, values_)
                  : pipeline_.execute_prepared(fmt::format("s{}", statement.number), values_);
  if (!sent) return passed_on(std::move(sent));
  expect({.kind = Kind::kChange,
          .rows = statement.expected,
          .statement = statement.number,
          .bytes = static_cast<uint32_t>(length)});
  return {};
}

Result<> TargetSession::commit(TransactionEnd end) {
  return commit_as(EndKind::kCommitted, std::move(end));
}

// Only the commit of a transaction that has an id is recorded, and its origin with it.
Result<> TargetSession::mark(Lsn place, ServerTime at) {
  if (auto sent = begin(); !sent) return sent;
  if (auto sent = control(kTransactionId, {}, Kind::kControl); !sent) return sent;
  return commit_as(EndKind::kMark,
                   {.commit = place, .end = place, .committed_at = at, .fences = {}});
}

Result<> TargetSession::commit_as(EndKind kind, TransactionEnd end) {
  const std::string lsn = to_string(end.end);
  const std::string time = to_timestamp_text(end.committed_at);
  const char* const values[] = {lsn.c_str(), time.c_str()};
  if (auto sent = control(kOriginSetup, values, Kind::kControl); !sent) return sent;
  if (auto sent = control(kCommit, {}, Kind::kCommit); !sent) return sent;
  ends_.push_back({.transaction = std::move(end), .kind = kind});
  return {};
}

Result<> TargetSession::pass(TransactionEnd end) {
  ends_.push_back({.transaction = std::move(end), .kind = EndKind::kPassed});
  report_passed();
  return {};
}

void TargetSession::applied_one() {
  if (ends_.front().kind != EndKind::kMark) on_applied_(ends_.front().transaction);
  ends_.pop_front();
}

void TargetSession::report_passed() {
  while (!ends_.empty() && ends_.front().kind == EndKind::kPassed) applied_one();
}

bool TargetSession::has_room() const {
  return !wants_to_rest_ && expected_.size() < settings_.max_outstanding &&
         ends_.size() < settings_.max_outstanding &&
         outstanding_bytes_ < settings_.max_outstanding_bytes;
}

Result<> TargetSession::push() {
  if (has_unrequested_) {
    if (auto asked = passed_on(pipeline_.request_results()); !asked) return asked;
    has_unrequested_ = false;
  }
  const auto flushed = pipeline_.flush();
  if (!flushed) return fail_with_context("target", flushed.error());
  wants_to_write_ = !*flushed;
  return {};
}

Result<> TargetSession::read() {
  if (auto done = passed_on(pipeline_.read()); !done) return done;
  while (!expected_.empty()) {
    auto result = pipeline_.next();
    if (!result) break;
    const Expected expected = expected_.front();
    expected_.pop_front();
    outstanding_bytes_ -= expected.bytes;
    if (auto taken = take(expected, *std::move(result)); !taken) return taken;
  }
  if (wants_to_rest_ && expected_.empty()) {
    if (auto sent = passed_on(pipeline_.sync()); !sent) return sent;
    wants_to_rest_ = false;
    expect({.kind = Kind::kSync});
    return push();
  }
  return {};
}

Result<> TargetSession::take(const Expected& expected, PostgresResult<Rows> result) {
  if (!result) return failed(expected, result.error());
  switch (expected.kind) {
    case Kind::kPrepare:
    case Kind::kControl:
    case Kind::kChange:
    case Kind::kSync:
      return {};
    case Kind::kProgress:
      durable_ = std::max(durable_, lsn_of(*result));
      return {};
    case Kind::kCommit:
      // COMMIT of a transaction that has failed rolls back, and is no failure to the server.
      if (result->tag() != "COMMIT") {
        return fail(ErrorKind::kInternal, "target: a transaction was rolled back at its commit");
      }
      committed_ = ends_.front().transaction.end;
      applied_one();
      report_passed();
      return {};
  }
  return {};
}

std::unexpected<Error> TargetSession::failed(const Expected& expected,
                                             const PostgresError& cause) const {
  const auto statement = prepared_.find(expected.statement);
  const std::string doing = statement == prepared_.end() ? "a statement" : statement->second;
  const std::string where =
      ends_.empty() ? ""
                    : fmt::format(", transaction {}", to_string(ends_.front().transaction.commit));
  if (expected.rows == RowsChanged::kExactlyOne && cause.sqlstate == kPartedState) {
    return fail(ErrorKind::kConflict,
                "target: {}{}: the row is not there. Source and target are no longer the same: "
                "somebody else has written to the tenant's rows in the target. Nothing of the "
                "transaction was applied; put the row right, or begin anew (partywall migrate "
                "forget, then copy again)",
                doing, where);
  }
  return fail(is_passing(cause) ? ErrorKind::kUnavailable : cause.kind, "target: {}{}: {}{}", doing,
              where, cause.message,
              cause.sqlstate.empty() ? "" : fmt::format(" [{}]", cause.sqlstate));
}

Result<> TargetSession::finish_transactions() {
  while (!ends_.empty()) {
    if (auto pushed = push(); !pushed) return pushed;
    pollfd waiting{.fd = socket(),
                   .events = static_cast<short>(POLLIN | (wants_to_write_ ? POLLOUT : 0)),
                   .revents = 0};
    (void)::poll(&waiting, 1, -1);
    if (auto taken = read(); !taken) return taken;
  }
  return {};
}

Result<> TargetSession::prepare_to_rest() {
  if (wants_to_rest_) return {};
  wants_to_rest_ = true;
  if (auto sent = control(kProgress, {}, Kind::kProgress); !sent) return sent;
  return push();
}

}  // namespace partywall::migrate
