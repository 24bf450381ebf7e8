#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "migrate/convert/transform_parts.h"

namespace partywall::migrate {
namespace {

using sql::FindingLevel;

constexpr std::string_view kInvoker = "security_invoker=";

// The view's options with security_invoker=true; those of a materialized view's storage are
// dropped.
std::string invoker_options(const View& view) {
  std::vector<std::string> options{fmt::format("{}true", kInvoker)};
  if (!view.is_materialized && !view.options.empty()) {
    for (std::string_view option : split(view.options, ',')) {
      if (option.starts_with(' ')) option.remove_prefix(1);
      if (!option.starts_with(kInvoker)) options.emplace_back(option);
    }
  }
  std::ranges::sort(options);
  return fmt::format("{}", fmt::join(options, ", "));
}

ViewTreatment treatment_of(const View& view, const ConversionRules& rules) {
  if (!view.is_materialized) return ViewTreatment::kAsView;
  const auto rule = rules.materialized_views.find(view.name);
  return rule == rules.materialized_views.end() ? ViewTreatment::kRefuse : rule->second.choice;
}

// "film_pkey of public.film": the key will be (tenant_id, film_id), and film_id alone decides
// nothing any more.
void check_keys(const View& view, const ConversionRules& rules, Conversion& conversion) {
  for (const std::string& key : view.keys) {
    const std::string table = key.substr(key.find(" of ") + 4);
    if (class_of(conversion, table) != TableClass::kTenant) continue;
    refuse(conversion, "view " + view.name,
           fmt::format("its GROUP BY leaves out columns that {} decided; with {} in the key they "
                       "are no longer decided",
                       key, rules.tenant_column),
           "Name all its columns in GROUP BY; this holds for the source too.");
  }
}

void convert_view(View& view, const ConversionRules& rules, Conversion& conversion) {
  const std::string object = (view.is_materialized ? "materialized view " : "view ") + view.name;
  if (treatment_of(view, rules) == ViewTreatment::kRefuse) {
    refuse(conversion, object, "its rows would be those of all tenants together",
           fmt::format("Make it a view, always fresh: materialized_views: {{{}: {{becomes: "
                       "as_view}}}} in the rules; or becomes: excluded.",
                       view.name));
    return;
  }
  if (view.is_materialized) {
    breaks(conversion, FindingLevel::kWarning, object,
           "it becomes a view: REFRESH MATERIALIZED VIEW fails, its indexes are gone, and a query "
           "computes it anew",
           "Take REFRESH out of the application's jobs.");
  }
  check_keys(view, rules, conversion);
  view.options = invoker_options(view);
  view.is_materialized = false;
}

void remove_excluded_views(const ConversionRules& rules, Conversion& conversion,
                           std::set<std::string>& gone) {
  std::erase_if(conversion.wanted.views, [&](const View& view) {
    if (treatment_of(view, rules) != ViewTreatment::kExcluded) return false;
    gone.insert("view " + view.name);
    return true;
  });
}

// What is left must not be made of what is not there.
void check_uses(const std::set<std::string>& gone, Conversion& conversion) {
  for (const auto& [user, used] : conversion.wanted.uses) {
    if (!gone.contains(used) || gone.contains(user)) continue;
    refuse(conversion, user, fmt::format("it is made of {}, which is excluded", used),
           "Drop it in the source, exclude it too, or do not exclude what it is made of.");
  }
  std::erase_if(conversion.wanted.order,
                [&](const std::string& object) { return gone.contains(object); });
}

// The options of a function stand on one line of the server's text, after the language's.
std::string without_definer(const Routine& routine) {
  constexpr std::string_view kDefiner = " SECURITY DEFINER";
  std::string text = routine.definition;
  const size_t language = text.find(fmt::format("\n LANGUAGE {}\n", routine.language));
  const size_t place = language == text.npos ? text.npos : text.find(kDefiner, language);
  if (place == text.npos) return text;
  text.erase(place, kDefiner.size());
  // Nothing else was on the line.
  if (text[place - 1] == '\n' && text[place] == '\n') text.erase(place, 1);
  return text;
}

}  // namespace

void convert_views(const ConversionRules& rules, Conversion& conversion) {
  std::set<std::string> gone;
  for (const auto& [table, table_class] : conversion.classes) {
    if (table_class == TableClass::kExcluded) gone.insert("table " + table);
  }
  remove_excluded_views(rules, conversion, gone);
  for (View& view : conversion.wanted.views) convert_view(view, rules, conversion);
  check_uses(gone, conversion);
}

void convert_routines(const ConversionRules& rules, Conversion& conversion) {
  for (Routine& routine : conversion.wanted.routines) {
    const std::string object = fmt::format("function {}", routine.signature);
    if (routine.is_definer && rules.definers.contains(routine.signature)) {
      conversion.findings.push_back(
          {FindingLevel::kWarning, object, "it stays SECURITY DEFINER, as the rules say",
           "Its owner must be neither superuser nor BYPASSRLS, and its search_path pinned: "
           "partywall schema lint looks at both."});
    } else if (routine.is_definer) {
      routine.definition = without_definer(routine);
      routine.is_definer = false;
      breaks(conversion, FindingLevel::kWarning, object,
             "it was SECURITY DEFINER and runs with the rights of the caller now: with its "
             "owner's it would see all tenants' rows",
             "Where it needs its owner's rights, name it under security_definer in the rules.");
    }
    std::vector<std::string> tables;
    std::ranges::copy_if(routine.row_types, std::back_inserter(tables), [&](const auto& table) {
      return class_of(conversion, table) == TableClass::kTenant;
    });
    if (tables.empty()) continue;
    breaks(conversion, FindingLevel::kWarning, object,
           fmt::format("it takes or returns whole rows of {}, which have one more column",
                       fmt::join(tables, ", ")),
           fmt::format("Look whether it lists the columns one by one; {} is the last.",
                       rules.tenant_column));
  }
}

void convert_sequences(const Catalog& source, const ConversionRules& rules,
                       Conversion& conversion) {
  std::map<std::string, std::set<TableClass>> users;
  std::set<std::string> of_identity;  // which makes them itself
  for (const Table& table : source.tables) {
    for (const Column& column : table.columns) {
      for (const std::string& sequence : column.sequences)
        users[sequence].insert(class_of(conversion, table.name));
    }
  }
  for (const Table& table : conversion.wanted.tables) {
    for (const Column& column : table.columns) {
      if (column.identity == Identity::kNone) continue;
      of_identity.insert(column.sequences.begin(), column.sequences.end());
    }
  }
  std::erase_if(conversion.wanted.sequences, [&](const Sequence& sequence) {
    const auto found = users.find(sequence.name);
    const bool unused =
        found != users.end() && found->second == std::set<TableClass>{TableClass::kExcluded};
    return unused || of_identity.contains(sequence.name);
  });
  std::vector<std::string> templates;
  for (const Sequence& sequence : conversion.wanted.sequences) {
    const auto found = users.find(sequence.name);
    const bool serves_tenants = found == users.end() || found->second.contains(TableClass::kTenant);
    if (serves_tenants && !rules.shared_sequences.contains(sequence.name))
      templates.push_back(sequence.name);
  }
  if (templates.empty()) return;
  conversion.needs_sequence_functions = true;
  breaks(conversion, FindingLevel::kWarning, "application",
         fmt::format("nextval, currval, setval and pg_get_serial_sequence by name fail for the "
                     "sequences that are each tenant's own: {}",
                     fmt::join(templates, ", ")),
         "RETURNING gives the number of a new row; SELECT partywall_sequences.next_value('…') "
         "draws one.");
}

}  // namespace partywall::migrate
