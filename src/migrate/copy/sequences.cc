#include "migrate/copy/sequences.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::Parameter;
using postgres::PostgresResult;
using postgres::Transaction;

// $1: the sequence, $2: the tenant, $3 and $4: the source's position.
constexpr const char* kOfTheTenant =
    "SELECT setval(partywall_sequences.sequence_of($1::text::regclass, $2::uuid), $3::bigint, "
    "$4::boolean)";

// Makes it where the tenant has drawn no number yet.
constexpr const char* kSequenceOfTheTenant =
    "SELECT partywall_sequences.sequence_of($1::text::regclass, $2::uuid)::oid";

constexpr const char* kQuotedName =
    "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
    "c.relnamespace WHERE c.oid = $1::oid";

constexpr std::string_view kLockNotAvailable = "55P03";

// `values` of the sequence, if the source's position is ahead of it. $1: the sequence, $2 and $3:
// the source's position. At the same one it matters whether the number was given already.
std::string if_behind(const std::string& values, const std::string& sequence) {
  return "SELECT " + values + " FROM pg_sequence s, " + sequence +
         " AS own WHERE s.seqrelid = $1::text::regclass AND (sign(s.seqincrement::numeric) * "
         "($2::bigint::numeric - own.last_value) > 0 OR $2::bigint = own.last_value AND "
         "$3::boolean AND NOT own.is_called)";
}

// setval alone would take back what was drawn between its look at the position and its write.
// Changing a sequence waits for transactions that have drawn from it, and lets nobody draw until
// the end of this one; all tenants wait then, so it gives up soon.
PostgresResult<> move_forward(Connection& target, const std::string& sequence,
                              const std::vector<Parameter>& position) {
  auto transaction = Transaction::begin(target);
  if (!transaction) return std::unexpected(transaction.error());
  const auto behind = target.execute(if_behind("s.seqincrement", sequence), position);
  if (!behind) return std::unexpected(behind.error());
  if (behind->empty()) return {};
  auto held = target.execute_script("SET LOCAL lock_timeout = '3s'; ALTER SEQUENCE " + sequence +
                                    " INCREMENT BY " + std::string(behind->text(0)));
  if (!held) return held;
  const auto set =
      target.execute(if_behind("setval(s.seqrelid, $2::bigint, $3::boolean)", sequence), position);
  if (!set) return std::unexpected(set.error());
  return transaction->commit();
}

Result<> continue_shared(Connection& target, const std::string& sequence,
                         const std::vector<Parameter>& position) {
  auto moved = move_forward(target, sequence, position);
  if (moved) return {};
  if (moved.error().sqlstate == kLockNotAvailable) {
    return fail(ErrorKind::kTimeout,
                "sequence {} of all tenants could not be moved forward, because a transaction that "
                "has drawn from it stays open: wait until it has ended, then run it again",
                sequence);
  }
  return fail_with_context("setting sequence " + sequence, moved.error());
}

Result<> continue_one(Connection& source, Connection& target, const Uuid& tenant,
                      const std::string& sequence, bool is_shared, SequenceMove move) {
  const auto position = source.execute("SELECT last_value, is_called FROM " + sequence);
  if (!position) return fail_with_context("reading sequence " + sequence, position.error());
  const std::string value(position->text(0, 0));
  const std::string called(position->text(0, 1));
  if (is_shared) return continue_shared(target, sequence, {sequence, value, called});
  const std::string id = tenant.to_string();
  if (move == SequenceMove::kExactly) {
    const auto set = target.execute(kOfTheTenant, {sequence, id, value, called});
    if (!set) return fail_with_context("setting sequence " + sequence, set.error());
    return {};
  }
  const auto own = target.execute(kSequenceOfTheTenant, {sequence, id});
  if (!own) return fail_with_context("setting sequence " + sequence, own.error());
  const auto shown = target.execute(kQuotedName, {std::string(own->text(0))});
  if (!shown) return fail_with_context("setting sequence " + sequence, shown.error());
  if (shown->empty())
    return fail(ErrorKind::kConflict,
                "the tenant's own sequence of {} was dropped while its position was set: run it "
                "again",
                sequence);
  const std::string name(shown->text(0));
  const auto set = target.execute(if_behind("setval(s.seqrelid, $2::bigint, $3::boolean)", name),
                                  {name, value, called});
  if (!set) return fail_with_context("setting sequence " + sequence, set.error());
  return {};
}

}  // namespace

Result<> continue_sequences(Connection& source, Connection& target, const Uuid& tenant,
                            const std::vector<Sequence>& sequences,
                            const std::set<std::string>& shared, SequenceMove move) {
  const auto functions = target.execute(
      "SELECT to_regprocedure('partywall_sequences.sequence_of(regclass, uuid)') IS "
      "NOT NULL");
  if (!functions) return std::unexpected(functions.error());
  for (const Sequence& sequence : sequences) {
    const bool is_shared = shared.contains(sequence.name);
    // Without the functions no column draws from a tenant's sequence.
    if (!is_shared && !functions->is_true(0)) continue;
    const auto there = target.execute("SELECT to_regclass($1) IS NOT NULL", {sequence.name});
    if (!there) return std::unexpected(there.error());
    if (!there->is_true(0)) continue;
    auto done = continue_one(source, target, tenant, sequence.name, is_shared, move);
    if (!done) return done;
  }
  return {};
}

}  // namespace partywall::migrate
