#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engines/postgres.h"
#include "sql/lint/rules.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;

void judge_login(const LoginFacts& login, std::vector<LintFinding>& findings) {
  const std::string object = "role " + login.name;
  if (login.is_superuser) {
    findings.push_back({LintRule::kLoginBypasses, FindingLevel::kInfo, object, "it is a superuser",
                        "Let no application log in as it."});
    return;
  }
  if (login.bypasses) {
    findings.push_back({LintRule::kLoginBypasses, FindingLevel::kWarning, object,
                        "it has BYPASSRLS",
                        fmt::format("ALTER ROLE {} NOBYPASSRLS;", quote_identifier(login.name))});
  }
  if (login.owns.empty()) return;
  findings.push_back(
      {LintRule::kOwnerLogin, FindingLevel::kInfo, object,
       fmt::format("it can act as {}, who owns tenants' tables", fmt::join(login.owns, ", ")),
       "Use it for migrations alone; let the application log in at the sql door."});
}

void judge_sequence(const SequenceFacts& sequence, std::vector<LintFinding>& findings) {
  const std::string object = "sequence " + sequence.name.shown();
  const std::string name = sequence.name.quoted();
  if (sequence.public_update) {
    findings.push_back({LintRule::kSequenceWritable, FindingLevel::kError, object,
                        "PUBLIC has UPDATE: every tenant may call setval",
                        fmt::format("REVOKE UPDATE ON SEQUENCE {} FROM PUBLIC;", name)});
  }
  if (sequence.public_select) {
    findings.push_back({LintRule::kSequenceReadable, FindingLevel::kWarning, object,
                        "PUBLIC has SELECT: every tenant may read last_value",
                        fmt::format("REVOKE SELECT ON SEQUENCE {} FROM PUBLIC;", name)});
  }
  if (sequence.public_usage) {
    findings.push_back({LintRule::kSequenceShared, FindingLevel::kInfo, object,
                        "all tenants draw from it",
                        "Where the numbers must not tell anything, use gen_random_uuid()."});
  }
}

void judge_publication(const PublicationFacts& publication, std::vector<LintFinding>& findings) {
  std::vector<std::string> names;
  for (const QualifiedName& table : publication.tables) names.push_back(table.shown());
  if (!publication.all_tables && names.empty()) return;
  findings.push_back(
      {LintRule::kPublication, FindingLevel::kWarning, "publication " + publication.name,
       publication.all_tables
           ? "it has all tables"
           : fmt::format("it has tenants' tables without a row filter: {}", fmt::join(names, ", ")),
       "Let only who may see all tenants subscribe; or add WHERE (tenant_id = …) to its tables."});
}

void judge_database(const DatabaseState& database, std::vector<LintFinding>& findings) {
  const std::string name = quote_identifier(database.name);
  const auto add = [&](LintRule rule, FindingLevel level, std::string message, std::string right) {
    findings.push_back({rule, level, "database " + database.name, std::move(message),
                        fmt::format("REVOKE {} ON DATABASE {} FROM PUBLIC;", right, name)});
  };
  if (database.public_may_connect) {
    add(LintRule::kDatabaseOpen, FindingLevel::kWarning,
        "every role may connect directly, past the door", "CONNECT");
  }
  if (database.public_may_temp) {
    add(LintRule::kDatabaseOpen, FindingLevel::kWarning, "every role may create temporary tables",
        "TEMPORARY");
  }
  if (database.public_may_create) {
    add(LintRule::kSchemaCreate, FindingLevel::kError, "every role may create schemas", "CREATE");
  }
  for (const std::string& object : database.readable_statistics) {
    findings.push_back({LintRule::kStatisticsReadable, FindingLevel::kError,
                        "database " + database.name, fmt::format("PUBLIC may use {}", object),
                        fmt::format("REVOKE ALL ON {} FROM PUBLIC;", object)});
  }
}

}  // namespace

void judge_access(const LintFacts& facts, std::vector<LintFinding>& findings) {
  judge_database(facts.schema.database, findings);
  for (const NamespaceState& space : facts.schema.namespaces) {
    if (!space.public_create) continue;
    findings.push_back(
        {LintRule::kSchemaCreate, FindingLevel::kError, "schema " + space.name,
         "every role may create objects in it",
         fmt::format("REVOKE CREATE ON SCHEMA {} FROM PUBLIC;", quote_identifier(space.name))});
  }
  for (const LoginFacts& login : facts.logins) judge_login(login, findings);
  for (const SequenceFacts& sequence : facts.sequences) judge_sequence(sequence, findings);
  for (const PublicationFacts& publication : facts.publications)
    judge_publication(publication, findings);
}

}  // namespace partywall::sql
