#include "migrate/run/subject.h"

#include "migrate/convert/convert.h"
#include "migrate/copy/session.h"
#include "migrate/database_identity.h"
#include "migrate/schema/fingerprint.h"

namespace partywall::migrate {

std::vector<std::string> Subject::global_tables() const {
  std::vector<std::string> names;
  for (const auto& [name, table_class] : conversion.classes) {
    if (table_class == TableClass::kGlobal) names.push_back(name);
  }
  return names;
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
  auto identity = read_database_identity(*connection);
  if (!identity) return std::unexpected(identity.error());
  subject.identity = to_string(*identity);
  auto relations = read_relations(*connection, subject.catalog, subject.conversion.classes);
  if (!relations) return std::unexpected(relations.error());
  subject.relations = *std::move(relations);
  return subject;
}

}  // namespace partywall::migrate
