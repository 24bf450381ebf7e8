#include "migrate/copy/sequences.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::Parameter;

// $1: the sequence, $2: the tenant, $3 and $4: the source's position.
constexpr const char* kOfTheTenant =
    "SELECT setval(partywall_sequences.sequence_of($1::text::regclass, $2::uuid), $3::bigint, "
    "$4::boolean)";

// $1: the sequence, $2 and $3: the source's position.
std::string of_all_tenants(const std::string& sequence) {
  return "SELECT setval(s.seqrelid, $2::bigint, $3::boolean) FROM pg_sequence s, " + sequence +
         " AS own WHERE s.seqrelid = $1::text::regclass AND sign(s.seqincrement) * ($2::bigint - "
         "own.last_value) > 0";
}

Result<> continue_one(Connection& source, Connection& target, const Uuid& tenant,
                      const std::string& sequence, bool is_shared) {
  const auto position = source.execute("SELECT last_value, is_called FROM " + sequence);
  if (!position) return fail_with_context("reading sequence " + sequence, position.error());
  const std::string value(position->text(0, 0));
  const std::string called(position->text(0, 1));
  const auto set =
      is_shared ? target.execute(of_all_tenants(sequence), {sequence, value, called})
                : target.execute(kOfTheTenant, {sequence, tenant.to_string(), value, called});
  if (!set) return fail_with_context("setting sequence " + sequence, set.error());
  return {};
}

}  // namespace

Result<> continue_sequences(Connection& source, Connection& target, const Uuid& tenant,
                            const std::vector<Sequence>& sequences,
                            const std::set<std::string>& shared) {
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
    auto done = continue_one(source, target, tenant, sequence.name, is_shared);
    if (!done) return done;
  }
  return {};
}

}  // namespace partywall::migrate
