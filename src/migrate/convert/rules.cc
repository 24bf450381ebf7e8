#include "migrate/convert/rules.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/yaml_map.h"

namespace partywall::migrate {
namespace {

constexpr Choice<TableClass> kTableClasses[] = {{"tenant", TableClass::kTenant},
                                                {"global", TableClass::kGlobal},
                                                {"excluded", TableClass::kExcluded}};
constexpr Choice<ViewTreatment> kViewTreatments[] = {{"as_view", ViewTreatment::kAsView},
                                                     {"excluded", ViewTreatment::kExcluded}};

// Django, Rails, Alembic, Flyway, Liquibase, Prisma, sqlx, Sequelize, Knex, Diesel, EF Core, Phinx,
// goose, node-pg-migrate, refinery.
constexpr std::array<std::string_view, 19> kSchemaVersions{"django_migrations",
                                                           "schema_migrations",
                                                           "ar_internal_metadata",
                                                           "alembic_version",
                                                           "flyway_schema_history",
                                                           "databasechangelog",
                                                           "databasechangeloglock",
                                                           "_prisma_migrations",
                                                           "_sqlx_migrations",
                                                           "\"SequelizeMeta\"",
                                                           "knex_migrations",
                                                           "knex_migrations_lock",
                                                           "__diesel_schema_migrations",
                                                           "\"__EFMigrationsHistory\"",
                                                           "phinxlog",
                                                           "goose_db_version",
                                                           "pgmigrations",
                                                           "refinery_schema_history",
                                                           "schema_version"};

// What PostgreSQL need not quote.
bool is_plain_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 63 && !(name[0] >= '0' && name[0] <= '9') &&
         std::ranges::all_of(name, fits);
}

template <class Value>
void check_names(const std::map<std::string, Value>& ruled, std::string_view kind,
                 const std::vector<std::string>& known, const auto& where_of,
                 Diagnostics& diagnostics) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  for (const auto& [name, value] : ruled) {
    if (std::ranges::find(known, name) != known.end()) continue;
    diagnostics.error(where_of(value), "the source has no {} '{}'{}", kind, name,
                      suggestion(name, names));
  }
}

template <class Object>
std::vector<std::string> names_of(const std::vector<Object>& objects, std::string Object::* name) {
  std::vector<std::string> names;
  for (const Object& object : objects) names.push_back(object.*name);
  return names;
}

void read_names(YamlMap& map, std::string_view key, std::string_view help,
                std::map<std::string, SourcePosition>& names) {
  std::vector<std::string> values;
  map.values(key, values, help);
  for (std::string& value : values) {
    if (!names.emplace(std::move(value), map.where(key)).second)
      map.error(key, "'{}' names an object twice", key);
  }
}

}  // namespace

ConversionRules read_conversion_rules(std::string_view yaml, Diagnostics& diagnostics) {
  ConversionRules rules;
  const auto root = parse_yaml(yaml, diagnostics, {.max_bytes = 1 << 20, .max_nodes = 100'000});
  if (!root) return rules;
  read_yaml(*root, diagnostics, [&](YamlMap& map) {
    int64_t version = 1;
    map.required("version", version, {1, 1}, "of this format");
    if (map.optional("tenant_column", rules.tenant_column, "column that names the tenant") &&
        !is_plain_name(rules.tenant_column)) {
      map.error("tenant_column",
                "'{}' is not a name in small letters, digits and _ of at most 63 bytes",
                rules.tenant_column);
    }
    map.named("tables", "what a table is, by its qualified name",
              [&](const std::string& name, YamlMap& table) {
                Ruled<TableClass> rule{TableClass::kTenant, table.where()};
                table.required_choice("class", rule.choice, kTableClasses,
                                      "tenant, global (one for all) or excluded");
                rules.tables.emplace(name, rule);
              });
    map.named("materialized_views", "what becomes of one",
              [&](const std::string& name, YamlMap& view) {
                Ruled<ViewTreatment> rule{ViewTreatment::kRefuse, view.where()};
                view.required_choice("becomes", rule.choice, kViewTreatments,
                                     "as_view (a view, always fresh) or excluded");
                rules.materialized_views.emplace(name, rule);
              });
    read_names(map, "shared_sequences", "sequences that all tenants draw from",
               rules.shared_sequences);
    read_names(map, "security_definer",
               "functions that stay SECURITY DEFINER, with their arguments", rules.definers);
    read_names(map, "leave_out",
               "other objects that the target does without, as refusals name them", rules.left_out);
  });
  return rules;
}

void check_rules(const ConversionRules& rules, const Catalog& source, Diagnostics& diagnostics) {
  const auto position = [](const auto& rule) { return rule.where; };
  const auto itself = [](const SourcePosition& where) { return where; };
  check_names(rules.tables, "table", names_of(source.tables, &Table::name), position, diagnostics);
  std::vector<View> materialized;
  std::ranges::copy_if(source.views, std::back_inserter(materialized), &View::is_materialized);
  check_names(rules.materialized_views, "materialized view", names_of(materialized, &View::name),
              position, diagnostics);
  check_names(rules.shared_sequences, "sequence", names_of(source.sequences, &Sequence::name),
              itself, diagnostics);
  check_names(rules.definers, "function", names_of(source.routines, &Routine::signature), itself,
              diagnostics);
  check_names(rules.left_out, "object", names_of(source.others, &OtherObject::object), itself,
              diagnostics);
}

std::set<std::string> ConversionRules::shared_sequence_names() const {
  std::set<std::string> names;
  for (const auto& [name, where] : shared_sequences) names.insert(name);
  return names;
}

TableClass usual_class(std::string_view table) {
  const std::string_view name = table.substr(table.find('.') + 1);
  return std::ranges::count(kSchemaVersions, name) > 0 ? TableClass::kGlobal : TableClass::kTenant;
}

}  // namespace partywall::migrate
