#include "migrate/schema/fingerprint.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/crypto.h"
#include "base/hex.h"
#include "migrate/schema/difference.h"

namespace partywall::migrate {
namespace {

// Lines in an order of their own; a part that holds a line break cannot look like two lines.
class Lines {
 public:
  void add(const std::vector<std::string>& parts) {
    std::string line;
    for (const std::string& part : parts) line += fmt::format("{}:{};", part.size(), part);
    lines_.insert(std::move(line));
  }

  [[nodiscard]] std::string hash() const {
    return to_hex(as_bytes(sha256(fmt::format("{}", fmt::join(lines_, "\n")))));
  }

 private:
  std::set<std::string> lines_;
};

void add_triggers(const std::vector<Trigger>& triggers, const std::string& on, Lines& lines) {
  for (const Trigger& trigger : triggers)
    lines.add({"trigger", on, trigger.name, trigger.definition, trigger.firing});
}

void add_table(const Table& table, Lines& lines) {
  lines.add({"table", table.name, table.is_unlogged ? "unlogged" : "", table.partition_key,
             table.parent, table.bound});
  for (const Column& column : table.columns) {
    lines.add({"column", table.name, column.name, column.type, column.collation,
               column.not_null ? "not null" : "", column.default_value, column.generated,
               std::to_string(static_cast<int>(column.identity))});
  }
  for (const Constraint& constraint : table.constraints)
    lines.add({"constraint", table.name, constraint.name, constraint.definition});
  for (const Index& index : table.indexes) {
    lines.add({"index", table.name, index.name, index.is_unique ? "unique" : "", index.method,
               index.rest});
  }
  add_triggers(table.triggers, table.name, lines);
}

// A missing column that is filled by itself is one that an import can do without.
Drift drift_of(const Difference& difference) {
  const bool only_columns = std::ranges::all_of(
      difference.steps, [](const Step& step) { return step.kind == StepKind::kAddOptionalColumn; });
  return only_columns && difference.refusals.empty() && difference.surplus.empty()
             ? Drift::kAllowed
             : Drift::kRefused;
}

// Comments and rights do not count.
Catalog compared_part(Catalog catalog) {
  catalog.comments.clear();
  catalog.grants.clear();
  return catalog;
}

SchemaGroup drifted(const Catalog& reference, const NamedCatalog& database,
                    std::string fingerprint) {
  const Difference difference =
      find_difference(compared_part(reference), compared_part(database.catalog));
  SchemaGroup group{.fingerprint = std::move(fingerprint), .drift = drift_of(difference)};
  for (const Step& step : difference.steps) group.statements.push_back(step.sql);
  for (const auto* findings : {&difference.refusals, &difference.surplus}) {
    for (const sql::SchemaFinding& finding : *findings) {
      group.reasons.push_back(fmt::format("{}: {}{}{}", finding.object, finding.message,
                                          finding.remedy.empty() ? "" : "; ", finding.remedy));
    }
  }
  return group;
}

}  // namespace

std::string fingerprint_of(const Catalog& catalog) {
  Lines lines;
  for (const std::string& schema : catalog.schemas) lines.add({"schema", schema});
  for (const auto& [extension, schema] : catalog.extensions) lines.add({"extension", extension});
  for (const Type& type : catalog.types) lines.add({"type", type.name, type.definition});
  for (const Sequence& sequence : catalog.sequences)
    lines.add({"sequence", sequence.name, sequence.options});
  for (const Routine& routine : catalog.routines) {
    lines.add({"routine", routine.signature, routine.definition,
               routine.public_may_execute ? "" : "closed"});
  }
  for (const Table& table : catalog.tables) add_table(table, lines);
  for (const View& view : catalog.views) {
    lines.add(
        {"view", view.name, view.is_materialized ? "materialized" : "", view.options, view.query});
    add_triggers(view.triggers, view.name, lines);
  }
  for (const OtherObject& other : catalog.others) lines.add({"other", other.object});
  return lines.hash();
}

std::string_view to_string(Drift drift) {
  switch (drift) {
    case Drift::kNone:
      return "same";
    case Drift::kAllowed:
      return "allowed";
    case Drift::kRefused:
      return "refused";
  }
  return "unknown";
}

std::vector<SchemaGroup> group_by_schema(const std::vector<NamedCatalog>& databases) {
  std::vector<SchemaGroup> groups;
  for (const NamedCatalog& database : databases) {
    std::string fingerprint = fingerprint_of(database.catalog);
    auto group = std::ranges::find(groups, fingerprint, &SchemaGroup::fingerprint);
    if (group == groups.end()) {
      groups.push_back(groups.empty()
                           ? SchemaGroup{.fingerprint = std::move(fingerprint)}
                           : drifted(databases.front().catalog, database, std::move(fingerprint)));
      group = groups.end() - 1;
    }
    group->databases.push_back(database.name);
  }
  if (!groups.empty()) {
    std::ranges::sort(groups.begin() + 1, groups.end(), std::ranges::greater(),
                      [](const SchemaGroup& group) {
                        return std::pair(group.databases.size(), group.fingerprint);
                      });
  }
  return groups;
}

}  // namespace partywall::migrate
