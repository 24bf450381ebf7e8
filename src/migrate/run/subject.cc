#include "migrate/run/subject.h"

#include "migrate/convert/convert.h"
#include "migrate/copy/session.h"
#include "migrate/schema/fingerprint.h"

namespace partywall::migrate {

std::vector<std::string> Subject::global_tables() const {
  std::vector<std::string> names;
  for (const auto& [name, table_class] : conversion.classes) {
    if (table_class == TableClass::kGlobal) names.push_back(name);
  }
  return names;
}

Result<std::string> read_identity(postgres::Connection& connection) {
  const auto rows = connection.execute(
      "SELECT system_identifier || '/' || current_database() || '/' || (SELECT oid FROM "
      "pg_database WHERE datname = current_database()) FROM pg_control_system()");
  if (!rows) return fail_with_context("asking which database it is", rows.error());
  return std::string(rows->text(0));
}

Result<Subject> read_subject(const std::string& source, const ConversionRules& rules,
                             Diagnostics& diagnostics) {
  auto connection = open_session(source);
  if (!connection) return std::unexpected(connection.error());
  Subject subject;
  auto catalog = read_source(*connection);
  if (!catalog) return std::unexpected(catalog.error());
  subject.catalog = *std::move(catalog);
  check_rules(rules, subject.catalog, diagnostics);
  if (diagnostics.has_errors()) return fail(ErrorKind::kInvalid, "the rules do not fit the source");
  subject.conversion = convert_catalog(subject.catalog, rules);
  subject.fingerprint = fingerprint_of(subject.catalog);
  auto identity = read_identity(*connection);
  if (!identity) return std::unexpected(identity.error());
  subject.identity = *std::move(identity);
  auto relations = read_relations(*connection, subject.catalog, subject.conversion.classes);
  if (!relations) return std::unexpected(relations.error());
  subject.relations = *std::move(relations);
  return subject;
}

}  // namespace partywall::migrate
