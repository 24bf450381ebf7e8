#include "migrate/convert/transform.h"

#include <algorithm>

#include <fmt/format.h>

#include "migrate/convert/transform_parts.h"

namespace partywall::migrate {
namespace {

constexpr const char* kPublic = "PUBLIC";

const Table& root_of(const Catalog& source, const Table& table) {
  const Table* parent = table.parent.empty() ? nullptr : source.find_table(table.parent);
  return parent == nullptr ? table : root_of(source, *parent);
}

void classify(const Catalog& source, const ConversionRules& rules, Conversion& conversion) {
  for (const Table& table : source.tables) {
    const Table& root = root_of(source, table);
    const auto rule = rules.tables.find(root.name);
    conversion.classes[table.name] =
        rule == rules.tables.end() ? usual_class(root.name) : rule->second.choice;
    if (root.name != table.name && rules.tables.contains(table.name)) {
      refuse(conversion, "table " + table.name, "a partition is what its parent is",
             fmt::format("Give the rule to {}.", root.name));
    }
  }
}

void convert_tables(const ConversionRules& rules, Conversion& conversion) {
  std::erase_if(conversion.wanted.tables, [&](const Table& table) {
    return class_of(conversion, table.name) == TableClass::kExcluded;
  });
  for (Table& table : conversion.wanted.tables) {
    if (class_of(conversion, table.name) == TableClass::kGlobal) {
      convert_global_table(table, conversion);
    } else {
      convert_tenant_table(table, rules, conversion);
    }
  }
}

void refuse_others(const ConversionRules& rules, Conversion& conversion) {
  for (const OtherObject& other : conversion.wanted.others) {
    if (rules.left_out.contains(other.object)) continue;
    refuse(conversion, other.object, other.why,
           "Drop it in the source, or do without it: name it under leave_out in the rules.");
  }
  conversion.wanted.others.clear();
}

// What exists in the target, in the words of COMMENT ON and GRANT.
std::set<std::string> objects_of(const Catalog& catalog) {
  std::set<std::string> known;
  const auto schema_of = [](const std::string& name) { return name.substr(0, name.find('.') + 1); };
  const auto add_triggers = [&](const std::vector<Trigger>& triggers, const std::string& on) {
    for (const Trigger& trigger : triggers)
      known.insert(fmt::format("TRIGGER {} ON {}", trigger.name, on));
  };
  for (const Table& table : catalog.tables) {
    known.insert("TABLE " + table.name);
    for (const Column& column : table.columns)
      known.insert(fmt::format("COLUMN {}.{}", table.name, column.name));
    for (const Constraint& constraint : table.constraints) {
      known.insert(fmt::format("CONSTRAINT {} ON {}", constraint.name, table.name));
      known.insert(fmt::format("INDEX {}{}", schema_of(table.name), constraint.name));
    }
    for (const Index& index : table.indexes)
      known.insert(fmt::format("INDEX {}{}", schema_of(table.name), index.name));
    add_triggers(table.triggers, table.name);
  }
  for (const View& view : catalog.views) {
    known.insert("VIEW " + view.name);
    known.insert("TABLE " + view.name);
    add_triggers(view.triggers, view.name);
  }
  for (const Sequence& sequence : catalog.sequences) known.insert("SEQUENCE " + sequence.name);
  for (const Type& type : catalog.types) {
    known.insert("TYPE " + type.name);
    known.insert("DOMAIN " + type.name);
  }
  for (const Routine& routine : catalog.routines) {
    known.insert(fmt::format("{} {}", routine.kind, routine.signature));
    known.insert("ROUTINE " + routine.signature);
  }
  for (const std::string& schema : catalog.schemas) known.insert("SCHEMA " + schema);
  return known;
}

void keep_comments(const std::set<std::string>& known, Catalog& wanted) {
  std::erase_if(wanted.comments, [&](const auto& comment) {
    if (known.contains(comment.first)) return false;
    return !std::ranges::any_of(wanted.views, [&](const View& view) {
      return comment.first.starts_with(fmt::format("COLUMN {}.", view.name));
    });
  });
}

// Row-level security does not apply to TRUNCATE, REFERENCES and TRIGGER; the templates of sequences
// are for nobody. What PUBLIC may do is decided anew: tenants have its rights.
void keep_grants(const std::set<std::string>& known, const ConversionRules& rules,
                 Conversion& conversion) {
  std::erase_if(conversion.wanted.grants, [&](const Grant& grant) {
    if (!known.contains(grant.object) || grant.role == kPublic) return true;
    if (grant.object.starts_with("SEQUENCE "))
      return !rules.shared_sequences.contains(grant.object.substr(9)) || grant.privilege != "USAGE";
    const std::string_view privilege =
        std::string_view(grant.privilege).substr(0, grant.privilege.find(' '));
    const bool goes_past =
        privilege == "TRUNCATE" || privilege == "REFERENCES" || privilege == "TRIGGER";
    return goes_past && grant.object.starts_with("TABLE ");
  });
}

// Of tenants' tables they come with their protection.
void grant_to_tenants(const ConversionRules& rules, Conversion& conversion) {
  std::set<Grant>& grants = conversion.wanted.grants;
  for (const View& view : conversion.wanted.views) {
    for (const char* privilege : {"SELECT", "INSERT", "UPDATE", "DELETE"})
      grants.insert({"TABLE " + view.name, kPublic, privilege});
  }
  for (const Table& table : conversion.wanted.tables) {
    if (class_of(conversion, table.name) == TableClass::kGlobal)
      grants.insert({"TABLE " + table.name, kPublic, "SELECT"});
  }
  for (const auto& [sequence, where] : rules.shared_sequences) {
    if (std::ranges::count(conversion.wanted.sequences, sequence, &Sequence::name) > 0)
      grants.insert({"SEQUENCE " + sequence, kPublic, "USAGE"});
  }
}

}  // namespace

Conversion convert_catalog(const Catalog& source, const ConversionRules& rules) {
  Conversion conversion{.wanted = source};
  classify(source, rules, conversion);
  refuse_others(rules, conversion);
  convert_tables(rules, conversion);
  convert_views(rules, conversion);
  convert_routines(rules, conversion);
  convert_sequences(source, rules, conversion);
  const auto known = objects_of(conversion.wanted);
  keep_comments(known, conversion.wanted);
  keep_grants(known, rules, conversion);
  grant_to_tenants(rules, conversion);
  find_breaks(source, conversion);
  return conversion;
}

}  // namespace partywall::migrate
