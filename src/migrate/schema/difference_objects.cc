#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engines/postgres.h"
#include "migrate/schema/difference_parts.h"

namespace partywall::migrate {
namespace {

// New labels between those that are there; false: some are gone, or in another order.
bool add_labels(const Comparison& comparison, const Type& wanted, const Type& present) {
  std::vector<Step> steps;
  auto next = present.labels.begin();
  std::string previous;
  for (const std::string& label : wanted.labels) {
    if (next != present.labels.end() && *next == label) {
      ++next;
    } else {
      const std::string place = !previous.empty()        ? " AFTER " + previous
                                : present.labels.empty() ? ""
                                                         : " BEFORE " + present.labels.front();
      steps.push_back({fmt::format("ALTER TYPE {} ADD VALUE {}{}", wanted.name, label, place),
                       "a label that is new in the source"});
    }
    previous = label;
  }
  if (next != present.labels.end()) return false;
  for (Step& step : steps) comparison.add(std::move(step.sql), std::move(step.reason));
  return true;
}

std::string view_statement(const View& view, std::string_view create) {
  return fmt::format("{} {}{} AS\n{}{}", create, view.name,
                     view.options.empty() ? "" : fmt::format(" WITH ({})", view.options),
                     view.query, view.is_materialized ? " WITH NO DATA" : "");
}

void compare_trigger(const Comparison& comparison, const std::string& table, const Trigger& trigger,
                     const Trigger* present) {
  if (present != nullptr && present->definition != trigger.definition) {
    comparison.add(fmt::format("DROP TRIGGER {} ON {}", trigger.name, table),
                   "it has changed in the source");
  }
  const bool is_new = present == nullptr || present->definition != trigger.definition;
  if (is_new) comparison.add(trigger.definition, "a trigger of the application");
  const std::string firing = is_new ? "" : present->firing;
  if (firing == trigger.firing) return;
  comparison.add(fmt::format("ALTER TABLE {} {} TRIGGER {}", table,
                             trigger.firing.empty() ? "ENABLE" : trigger.firing, trigger.name),
                 "when it fires, as in the source");
}

}  // namespace

void compare_schemas(const Comparison& comparison) {
  for (const std::string& schema : comparison.wanted.schemas) {
    if (!comparison.present.schemas.contains(schema))
      comparison.add("CREATE SCHEMA " + schema, "a schema of the application");
  }
  for (const auto& [name, schema] : comparison.wanted.extensions) {
    if (comparison.present.extensions.contains(name)) continue;
    comparison.add(fmt::format("CREATE EXTENSION {} SCHEMA {}", name, schema),
                   name == "btree_gist" ? "an exclusion constraint compares the tenant, or the "
                                          "application uses it"
                                        : "the application uses it");
  }
}

void compare_sequences(const Comparison& comparison) {
  for (const Sequence& sequence : comparison.wanted.sequences) {
    const Sequence* present = find_named(comparison.present.sequences, sequence.name);
    if (present == nullptr) {
      comparison.add(fmt::format("CREATE SEQUENCE {} {}", sequence.name, sequence.options),
                     "a sequence of the application");
    } else if (*present != sequence) {
      comparison.add(fmt::format("ALTER SEQUENCE {} {}", sequence.name, sequence.options),
                     "its options have changed in the source");
    }
  }
}

void compare_type(const Comparison& comparison, const Type& type) {
  const Type* present = find_named(comparison.present.types, type.name);
  if (present == nullptr) {
    comparison.add(type.definition, "a type of the application");
    return;
  }
  if (present->definition == type.definition) return;
  if (type.kind == TypeKind::kEnum && present->kind == TypeKind::kEnum &&
      add_labels(comparison, type, *present)) {
    return;
  }
  comparison.refuse("type " + type.name, fmt::format("it is another one: {}", present->definition),
                    type.definition);
}

void compare_routine(const Comparison& comparison, const Routine& routine) {
  const Routine* present =
      find_named(comparison.present.routines, routine.signature, &Routine::signature);
  if (present == nullptr) {
    comparison.add(routine.definition, "a function of the application");
  } else if (present->definition != routine.definition) {
    comparison.add(routine.definition, "it has changed in the source");
  }
  const bool may = present == nullptr || present->public_may_execute;
  if (may == routine.public_may_execute) return;
  comparison.add(may ? fmt::format("REVOKE EXECUTE ON ROUTINE {} FROM PUBLIC", routine.signature)
                     : fmt::format("GRANT EXECUTE ON ROUTINE {} TO PUBLIC", routine.signature),
                 "as in the source");
}

void compare_view(const Comparison& comparison, const View& view) {
  const View* present = find_named(comparison.present.views, view.name);
  if (present == nullptr) {
    comparison.add(
        view_statement(view, view.is_materialized ? "CREATE MATERIALIZED VIEW" : "CREATE VIEW"),
        view.options.find("security_invoker") == std::string::npos
            ? "a view of the application"
            : "a view, with the rights of whoever reads it");
    return;
  }
  if (present->is_materialized == view.is_materialized && present->query == view.query &&
      present->options == view.options) {
    return;
  }
  if (present->is_materialized || view.is_materialized) {
    comparison.refuse("view " + view.name, "it is another one in the source",
                      "Drop it, and run this again.");
    return;
  }
  comparison.add(view_statement(view, "CREATE OR REPLACE VIEW"), "it has changed in the source");
}

void compare_triggers(const Comparison& comparison) {
  for (const Table& table : comparison.wanted.tables) {
    const Table* present = comparison.present.find_table(table.name);
    for (const Trigger& trigger : table.triggers) {
      compare_trigger(comparison, table.name, trigger,
                      present == nullptr ? nullptr : find_named(present->triggers, trigger.name));
    }
  }
  for (const View& view : comparison.wanted.views) {
    const View* present = find_named(comparison.present.views, view.name);
    for (const Trigger& trigger : view.triggers) {
      compare_trigger(comparison, view.name, trigger,
                      present == nullptr ? nullptr : find_named(present->triggers, trigger.name));
    }
  }
}

void compare_comments(const Comparison& comparison) {
  for (const auto& [object, text] : comparison.wanted.comments) {
    const auto present = comparison.present.comments.find(object);
    if (present != comparison.present.comments.end() && present->second == text) continue;
    comparison.add(fmt::format("COMMENT ON {} IS {}", object, postgres::quote_literal(text)),
                   "a comment of the source");
  }
}

// Whoever runs this owns what is new, and has all rights on it.
void compare_grants(const Comparison& comparison) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> missing;
  std::map<std::string, size_t> unknown;
  for (const Grant& grant : comparison.wanted.grants) {
    if (grant.role == comparison.present.user || comparison.present.grants.contains(grant))
      continue;
    if (grant.role != "PUBLIC" && !comparison.present.roles.contains(grant.role)) {
      ++unknown[grant.role];
      continue;
    }
    missing[{grant.object, grant.role}].push_back(grant.privilege);
  }
  for (const auto& [key, privileges] : missing) {
    comparison.add(
        fmt::format("GRANT {} ON {} TO {}", fmt::join(privileges, ", "), key.first, key.second),
        key.second == "PUBLIC" ? "tenants have the rights of PUBLIC" : "a right of the source");
  }
  for (const auto& [role, count] : unknown) {
    comparison.surplus("role " + role,
                       fmt::format("it has {} rights in the source and does not exist here: they "
                                   "are left out",
                                   count));
  }
}

}  // namespace partywall::migrate
