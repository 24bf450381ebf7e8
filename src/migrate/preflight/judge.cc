#include "migrate/preflight/judge.h"

#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "migrate/schema/difference.h"

namespace partywall::migrate {
namespace {

using sql::FindingLevel;
using sql::SchemaFinding;
using Names = std::vector<std::string>;

constexpr double kNearlyFull = 0.8;
constexpr Duration kLongTransaction = minutes(5);
constexpr size_t kStepsShown = 3;

class Findings {
 public:
  explicit Findings(std::string place) : place_(std::move(place)) {}

  void add(FindingLevel level, std::string message, std::string remedy) {
    found_.push_back({level, place_, std::move(message), std::move(remedy)});
  }

  // One finding for all of them, if there are any. `message` has a place for their names.
  void add_for(FindingLevel level, const Names& names, fmt::format_string<std::string> message,
               std::string remedy) {
    if (names.empty()) return;
    add(level, fmt::format(message, fmt::format("{}", fmt::join(names, ", "))), std::move(remedy));
  }

  std::vector<SchemaFinding> take() { return std::move(found_); }

 private:
  std::string place_;
  std::vector<SchemaFinding> found_;
};

void judge_rows(const SourceFacts& facts, Findings& findings) {
  findings.add_for(FindingLevel::kError, facts.unreadable, "its user may not read {}",
                   "GRANT SELECT on them, or connect as their owner.");
  findings.add_for(FindingLevel::kError, facts.unreadable_sequences,
                   "its user may not read the position of the sequences {}",
                   "GRANT SELECT on them, or connect as their owner.");
  findings.add_for(FindingLevel::kError, facts.hidden,
                   "row-level security may hide rows of {} from its user",
                   "Connect as a role with BYPASSRLS.");
  findings.add_for(FindingLevel::kInfo, facts.as_text,
                   "rows of {} are copied as text, because the binary form of some of their values "
                   "holds numbers of this database's catalogs: that costs about 1.6 times as much",
                   "");
  findings.add_for(FindingLevel::kInfo, facts.generated,
                   "generated columns are left out, the target computes them anew: {}", "");
  if (facts.large_objects > 0) {
    findings.add(
        FindingLevel::kError,
        fmt::format("it has {} large objects, which belong to no table and are not copied",
                    facts.large_objects),
        "Move them into bytea columns or an object store; those that nothing refers to are "
        "removed by vacuumlo.");
  }
  for (const BrokenReference& one : facts.orphans) {
    findings.add(
        FindingLevel::kWarning,
        fmt::format("foreign key {} is NOT VALID, and {} rows refer to nothing", one.constraint,
                    one.rows),
        "They are copied as they are; correct them and VALIDATE CONSTRAINT, if they should "
        "not be there.");
  }
  for (const FilledColumn& one : facts.filled) {
    if (one.share < kNearlyFull) continue;
    findings.add(FindingLevel::kWarning,
                 fmt::format("column {} has used up {:.0f} % of the numbers of its type {}",
                             one.column, one.share * 100, one.type),
                 "The tenant's ids go on where they are: make it bigint before the migration.");
  }
  findings.add(FindingLevel::kInfo,
               fmt::format("it has {}; the target needs about as much, and what its indexes have "
                           "more for the tenant's column",
                           format_size(facts.bytes)),
               "Check the free space of the target's volume: PostgreSQL does not tell it.");
}

// What following the changes of a source that is in use needs.
void judge_following(const SourceFacts& facts, SourceUse use, Progress progress,
                     Findings& findings) {
  const auto add = [&](FindingLevel level, std::string message, std::string remedy) {
    findings.add(level, "following changes: " + std::move(message), std::move(remedy));
  };
  const auto warn = [&](std::string message, std::string remedy) {
    add(FindingLevel::kWarning, std::move(message), std::move(remedy));
  };
  const bool is_in_use = use == SourceUse::kInUse;
  // What cannot be done without.
  const auto need = [&](std::string message, std::string remedy) {
    add(is_in_use ? FindingLevel::kError : FindingLevel::kWarning, std::move(message),
        std::move(remedy));
  };
  // The stream's own, which is there once it has begun, and one for a moment: for the comparison.
  const int64_t slots = is_in_use && progress == Progress::kNotBegun ? 2 : 1;
  if (facts.wal_level != "logical") {
    need(fmt::format("wal_level is {}", facts.wal_level),
         "ALTER SYSTEM SET wal_level = logical, and restart the source's server.");
  }
  if (facts.free_slots < slots) {
    need(facts.free_slots < 1
             ? "no replication slot is free"
             : "only one replication slot is free, and the comparison needs another",
         "Raise max_replication_slots, or drop a slot of no use.");
  }
  if (facts.free_senders < slots) {
    need(facts.free_senders < 1 ? "no WAL sender is free"
                                : "only one WAL sender is free, and the comparison needs another",
         "Raise max_wal_senders.");
  }
  if (facts.slot_wal_limit_mb < 0) {
    warn(
        "max_slot_wal_keep_size is not set: a slot that nobody reads keeps WAL until the disk is "
        "full",
        "Set it to what the disk can spare, and watch pg_replication_slots.");
  }
  if (facts.oldest_transaction >= kLongTransaction || facts.prepared_transactions > 0) {
    warn(fmt::format("a transaction has been open for {} and {} are prepared: a slot is made only "
                     "when they have ended",
                     format_duration(facts.oldest_transaction), facts.prepared_transactions),
         "End them first.");
  }
  if (facts.is_standby)
    need("it is a standby, whose changes cannot be followed with PostgreSQL 15",
         "Use the primary.");
  if (!facts.without_identity.empty()) {
    need(fmt::format("nothing tells rows of {} apart when they change",
                     fmt::join(facts.without_identity, ", ")),
         "ALTER TABLE … REPLICA IDENTITY FULL, or give them a primary key.");
  }
  if (!facts.on_truncate.empty()) {
    warn(fmt::format("there are triggers on TRUNCATE ({}), which becomes DELETE of the tenant's "
                     "rows in the target",
                     fmt::join(facts.on_truncate, ", ")),
         "Look at what they do.");
  }
}

void judge_extensions(const TargetFacts& target, const SourceFacts& source, Findings& findings) {
  for (const auto& [name, version] : source.extensions) {
    const auto found = target.extensions.find(name);
    if (found == target.extensions.end() || found->second == version) continue;
    findings.add(FindingLevel::kWarning,
                 fmt::format("extension {} has version {}, the source's is {}", name, found->second,
                             version),
                 "Bring both to one version if its types are used in tables.");
  }
}

}  // namespace

std::vector<SchemaFinding> judge_source(const SourceFacts& facts, SourceUse use,
                                        Progress progress) {
  Findings findings("source " + facts.database);
  judge_rows(facts, findings);
  judge_following(facts, use, progress, findings);
  return findings.take();
}

std::vector<SchemaFinding> judge_target(const TargetFacts& facts, const SourceFacts& source,
                                        Progress progress) {
  Findings findings("target " + facts.database);
  const auto forbid = [&](bool is_fine, std::string message, std::string remedy) {
    if (!is_fine) findings.add(FindingLevel::kError, std::move(message), std::move(remedy));
  };
  forbid(facts.passes_row_security,
         fmt::format("row-level security applies to user {}, and COPY FROM is refused under it",
                     facts.user),
         fmt::format("ALTER ROLE {} BYPASSRLS, or connect as another role.",
                     postgres::quote_identifier(facts.user)));
  forbid(facts.may_load,
         fmt::format("user {} may not set session_replication_role: foreign keys could not be "
                     "circular, and triggers would be carried out a second time",
                     facts.user),
         fmt::format("GRANT SET ON PARAMETER session_replication_role TO {}.",
                     postgres::quote_identifier(facts.user)));
  forbid(facts.may_set_sequences,
         fmt::format("user {} may not set the tenants' sequences", facts.user),
         fmt::format("GRANT partywall_sequences TO {}.", postgres::quote_identifier(facts.user)));
  forbid(
      facts.may_note_progress,
      fmt::format("user {} may not make the schema partywall_migration", facts.user),
      fmt::format("GRANT CREATE ON DATABASE {} TO {}.", postgres::quote_identifier(facts.database),
                  postgres::quote_identifier(facts.user)));
  findings.add_for(FindingLevel::kError, facts.unwritable,
                   "its user may not fill, read and empty {}",
                   "GRANT SELECT, INSERT, DELETE on them, or connect as their owner.");
  findings.add_for(FindingLevel::kError, facts.unmovable,
                   "its user does not own the sequences {}, which all tenants draw from and which "
                   "are moved forward",
                   "Make it a member of their owner, or connect as their owner.");
  findings.add_for(FindingLevel::kError, facts.firing,
                   "triggers that are ENABLE ALWAYS or REPLICA would be carried out for rows that "
                   "the source's have seen already: {}",
                   "ALTER TABLE … DISABLE TRIGGER for the time of the migration.");
  if (progress == Progress::kNotBegun) {
    findings.add_for(FindingLevel::kError, facts.filled, "the tenant has rows already in {}",
                     "Delete them, or check that it is the right tenant.");
  }
  findings.add_for(FindingLevel::kWarning, facts.empty_global,
                   "tables for all tenants, which no migration fills, have no rows: {}",
                   "Fill them once, if tenants' rows refer to them.");
  judge_extensions(facts, source, findings);
  return findings.take();
}

std::vector<SchemaFinding> judge_schema(Catalog wanted, Catalog present) {
  Findings findings("target " + present.database);
  for (Catalog* catalog : {&wanted, &present}) {
    catalog->comments.clear();
    catalog->grants.clear();
  }
  const Difference difference = find_difference(wanted, present);
  if (wanted.encoding != present.encoding) {
    findings.add(
        FindingLevel::kError,
        fmt::format("its encoding is {}, the source's is {}", present.encoding, wanted.encoding),
        "Make the target with the source's encoding.");
  }
  if (wanted.collation != present.collation) {
    findings.add(FindingLevel::kWarning,
                 fmt::format("its collation is {}, the source's is {}: text is sorted in another "
                             "way",
                             present.collation, wanted.collation),
                 "");
  }
  std::vector<SchemaFinding> found = findings.take();
  for (const SchemaFinding& one : difference.refusals)
    found.push_back({FindingLevel::kError, one.object, one.message, one.remedy});
  if (difference.steps.empty()) return found;
  std::string steps;
  for (const Step& step : difference.steps | std::views::take(kStepsShown))
    steps += "\n    " + step.sql;
  if (difference.steps.size() > kStepsShown)
    steps += fmt::format("\n    … and {} more", difference.steps.size() - kStepsShown);
  found.push_back({FindingLevel::kError, "target " + present.database,
                   "it does not have the schema of the source; what is missing:" + steps,
                   "Run partywall schema convert with the same rules first."});
  return found;
}

}  // namespace partywall::migrate
