#include "migrate/run/preflight.h"

#include <algorithm>
#include <iterator>

#include "migrate/copy/progress.h"
#include "migrate/copy/session.h"
#include "migrate/schema/read_catalog.h"

namespace partywall::migrate {
namespace {

using postgres::Transaction;
using sql::SchemaFinding;

constexpr const char* kReadOnly = "ISOLATION LEVEL REPEATABLE READ, READ ONLY";

void append(std::vector<SchemaFinding>& to, std::vector<SchemaFinding> from) {
  std::ranges::move(from, std::back_inserter(to));
}

Result<SourceFacts> look_at_source(const std::string& source, const Subject& subject) {
  auto connection = open_session(source);
  if (!connection) return std::unexpected(connection.error());
  auto transaction = Transaction::begin(*connection, kReadOnly);
  if (!transaction) return std::unexpected(transaction.error());
  // Where rows may be hidden that is a finding, not the failure of another query.
  if (auto seen = connection->execute("SET LOCAL row_security = on"); !seen)
    return std::unexpected(seen.error());
  return read_source_facts(*connection, subject.relations, subject.conversion.wanted.sequences);
}

}  // namespace

Result<std::vector<SchemaFinding>> preflight(const Subject& subject, const std::string& source,
                                             postgres::Connection& target, const Uuid& tenant,
                                             const ConversionRules& rules, SourceUse use) {
  const auto source_facts = look_at_source(source, subject);
  if (!source_facts) return std::unexpected(source_facts.error());
  if (target.server_version() < kOldestTarget) {
    return fail(ErrorKind::kInvalid, "the target is PostgreSQL {}; {} or newer is needed",
                target.server_version() / 10000, kOldestTarget / 10000);
  }
  const auto migration = read_migration(target, tenant);
  if (!migration) return std::unexpected(migration.error());
  auto transaction = Transaction::begin(target, kReadOnly);
  if (!transaction) return std::unexpected(transaction.error());
  const auto target_facts =
      read_target_facts(target, {.relations = subject.relations,
                                 .global_tables = subject.global_tables(),
                                 .shared_sequences = rules.shared_sequence_names(),
                                 .tenant = tenant,
                                 .tenant_column = rules.tenant_column});
  if (!target_facts) return std::unexpected(target_facts.error());
  const auto present = read_catalog(target);
  if (!present) return std::unexpected(present.error());

  std::vector<SchemaFinding> findings = subject.conversion.refusals;
  append(findings, judge_schema(subject.conversion.wanted, *present));
  const Progress progress = *migration ? Progress::kBegun : Progress::kNotBegun;
  append(findings, judge_target(*target_facts, *source_facts, progress));
  append(findings, judge_source(*source_facts, use, progress));
  return findings;
}

bool forbids(const std::vector<SchemaFinding>& findings) {
  return std::ranges::any_of(
      findings, [](const SchemaFinding& one) { return one.level == sql::FindingLevel::kError; });
}

}  // namespace partywall::migrate
