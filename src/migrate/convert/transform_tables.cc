#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "migrate/convert/sequence_functions.h"
#include "migrate/convert/transform_parts.h"
#include "sql/schema/register_sql.h"
#include "sql/schema/tenant_index.h"

namespace partywall::migrate {
namespace {

using sql::FindingLevel;

constexpr size_t kLongestName = 63;

class TableConverter {
 public:
  TableConverter(Table& table, const ConversionRules& rules, Conversion& conversion)
      : table_(table), rules_(rules), conversion_(conversion), object_("table " + table.name) {}

  void convert() {
    const std::string& tenant = rules_.tenant_column;
    if (std::ranges::count(table_.columns, tenant, &Column::name) > 0) {
      refuse(conversion_, object_, fmt::format("it has a column {} of its own", tenant),
             "Give the tenant's column another name: tenant_column in the rules.");
      return;
    }
    for (Column& column : table_.columns) convert_column(column);
    for (Constraint& constraint : table_.constraints) convert_constraint(constraint);
    std::erase_if(table_.indexes,
                  [&](Index& index) { return convert_index(index) == IndexTreatment::kLeftOut; });
    add_tenant_index();
    // Last, so that an INSERT without a list of columns still fits.
    table_.columns.push_back({.name = tenant,
                              .type = "uuid",
                              .not_null = true,
                              .default_value = std::string(sql::kTenantDefault)});
  }

 private:
  enum class IndexTreatment : uint8_t { kKept, kLeftOut };

  void convert_column(Column& column) {
    if (column.identity != Identity::kNone) {
      convert_identity(column);
      return;
    }
    for (const std::string& sequence : column.sequences) {
      if (rules_.shared_sequences.contains(sequence)) continue;
      const std::string call = next_value_call(sequence);
      const std::string old = "nextval" + call.substr(call.find('('));
      const size_t place = column.default_value.find(old);
      if (place == std::string::npos) {
        refuse(conversion_, fmt::format("column {}.{}", table_.name, column.name),
               fmt::format("its default draws from {} in a way that is not understood: {}",
                           sequence, column.default_value),
               "Name the sequence under shared_sequences in the rules, or give the column another "
               "default.");
        continue;
      }
      column.default_value.replace(place, old.size(), call);
      conversion_.needs_sequence_functions = true;
    }
  }

  void convert_identity(Column& column) {
    if (column.sequences.size() != 1 || rules_.shared_sequences.contains(column.sequences[0]))
      return;
    if (column.identity == Identity::kAlways) {
      breaks(conversion_, FindingLevel::kInfo,
             fmt::format("column {}.{}", table_.name, column.name),
             "it was GENERATED ALWAYS: an INSERT that names a value for it now succeeds", "");
    }
    column.identity = Identity::kNone;
    column.default_value = next_value_call(column.sequences[0]);
    conversion_.needs_sequence_functions = true;
  }

  void convert_constraint(Constraint& constraint) {
    switch (constraint.kind) {
      case ConstraintKind::kPrimary:
      case ConstraintKind::kUnique:
        put_before_keys(constraint, rules_.tenant_column + ", ");
        return;
      case ConstraintKind::kExclusion:
        convert_exclusion(constraint);
        return;
      case ConstraintKind::kForeign:
        convert_reference(constraint);
        return;
      case ConstraintKind::kCheck:
        return;
    }
  }

  // In the server's text nothing with a parenthesis comes before the keys.
  static void put_before_keys(Constraint& constraint, const std::string& keys) {
    constraint.definition.insert(constraint.definition.find('(') + 1, keys);
  }

  void convert_exclusion(Constraint& constraint) {
    if (constraint.method != "gist" && constraint.method != "btree") {
      refuse(conversion_, object_,
             fmt::format("exclusion constraint {} has an index of the method {}, which cannot hold "
                         "the tenant too",
                         constraint.name, constraint.method),
             "Make it anew with USING gist.");
      return;
    }
    put_before_keys(constraint, rules_.tenant_column + " WITH =, ");
    if (constraint.method == "gist") need_btree_gist();
  }

  // With which gist holds a UUID.
  void need_btree_gist() {
    const auto& schemas = conversion_.wanted.schemas;
    conversion_.wanted.extensions.emplace("btree_gist",
                                          schemas.contains("public") ? "public" : *schemas.begin());
  }

  void convert_reference(Constraint& constraint) {
    Reference& reference = constraint.reference;
    const TableClass other = class_of(conversion_, reference.table);
    if (other == TableClass::kGlobal) return;
    if (other == TableClass::kExcluded) {
      refuse(conversion_, object_,
             fmt::format("foreign key {} refers to {}, which is excluded", constraint.name,
                         reference.table),
             "Exclude this table too, or not that one.");
      return;
    }
    if (reference.on_update.starts_with("SET")) {
      refuse(conversion_, object_,
             fmt::format("foreign key {} has ON UPDATE {}, which would change {} too",
                         constraint.name, reference.on_update, rules_.tenant_column),
             "PostgreSQL takes a list of columns only for ON DELETE; use ON UPDATE CASCADE.");
      return;
    }
    if (reference.match_full && !can_match_simply(reference)) {
      refuse(conversion_, object_,
             fmt::format("foreign key {} is MATCH FULL over columns that may be NULL, and {} never "
                         "is",
                         constraint.name, rules_.tenant_column),
             "Make it MATCH SIMPLE with a CHECK that all or none of its columns are NULL.");
      return;
    }
    if (reference.on_delete.starts_with("SET") && reference.set_columns.empty())
      reference.set_columns = reference.columns;
    reference.match_full = false;
    reference.columns.insert(reference.columns.begin(), rules_.tenant_column);
    reference.referenced_columns.insert(reference.referenced_columns.begin(), rules_.tenant_column);
    constraint.definition = definition_of(reference);
  }

  // MATCH FULL differs only for rows in which some columns are NULL and some are not.
  [[nodiscard]] bool can_match_simply(const Reference& reference) const {
    return reference.columns.size() == 1 ||
           std::ranges::all_of(reference.columns, [&](const std::string& name) {
             const auto column = std::ranges::find(table_.columns, name, &Column::name);
             return column != table_.columns.end() && column->not_null;
           });
  }

  // An index that does not begin with the tenant tells it its neighbours' values
  // (sql/schema/tenant_index.h).
  IndexTreatment convert_index(Index& index) {
    if (sql::can_lead_with_tenant(index.method) || index.method == "hash") {
      if (index.method == "hash") {
        breaks(conversion_, FindingLevel::kWarning, object_,
               fmt::format("index {} was a hash index, which holds one column; as btree it refuses "
                           "values of more than about 2,700 bytes",
                           index.name),
               "Drop it in the source if there are such values.");
        index.method = "btree";
      }
      if (index.method == "gist") need_btree_gist();
      index.rest.insert(0, rules_.tenant_column + ", ");
      return IndexTreatment::kKept;
    }
    if (index.is_searched_early) {
      breaks(conversion_, FindingLevel::kWarning, object_,
             fmt::format("index {} ({}) is left out: each tenant could read the others' values out "
                         "of it, and the method cannot keep them apart; statements that searched "
                         "in it read all of the tenant's rows",
                         index.name, index.method),
             fmt::format("CREATE INDEX ON {} ({}, …), or USING gist, with what they look for.",
                         table_.name, rules_.tenant_column));
      return IndexTreatment::kLeftOut;
    }
    conversion_.findings.push_back(
        {FindingLevel::kInfo, object_,
         fmt::format("index {} ({}) stays without the tenant, and is no use to tenants: PostgreSQL "
                     "applies row-level security before its operators",
                     index.name, index.method),
         ""});
    return IndexTreatment::kKept;
  }

  // A statement of one tenant must not read everybody's rows.
  void add_tenant_index() {
    const auto leads = [](const Index& index) {
      return index.method == "btree" && index.rest.find(") WHERE ") == std::string::npos;
    };
    const auto is_key = [](const Constraint& constraint) {
      return constraint.kind == ConstraintKind::kPrimary ||
             constraint.kind == ConstraintKind::kUnique;
    };
    if (std::ranges::any_of(table_.indexes, leads) ||
        std::ranges::any_of(table_.constraints, is_key)) {
      return;
    }
    std::string name = table_.name.substr(table_.name.find('.') + 1);
    const bool is_quoted = name.ends_with('"');
    if (is_quoted) name.pop_back();
    const std::string end = fmt::format("_{}_idx", rules_.tenant_column);
    name = name.substr(0, kLongestName - std::min(end.size(), kLongestName)) + end;
    table_.indexes.push_back({.name = name + (is_quoted ? "\"" : ""),
                              .method = "btree",
                              .rest = rules_.tenant_column + ")",
                              .age = std::numeric_limits<int64_t>::max()});
  }

  Table& table_;
  const ConversionRules& rules_;
  Conversion& conversion_;
  std::string object_;
};

}  // namespace

void convert_tenant_table(Table& table, const ConversionRules& rules, Conversion& conversion) {
  TableConverter(table, rules, conversion).convert();
}

void convert_global_table(const Table& table, Conversion& conversion) {
  for (const Constraint& constraint : table.constraints) {
    if (constraint.kind != ConstraintKind::kForeign ||
        class_of(conversion, constraint.reference.table) == TableClass::kGlobal) {
      continue;
    }
    refuse(conversion, "table " + table.name,
           fmt::format("it is one for all tenants, and foreign key {} refers to {}, which is not",
                       constraint.name, constraint.reference.table),
           "Class both alike.");
  }
}

}  // namespace partywall::migrate
