#pragma once

#include <map>
#include <string>
#include <vector>

#include "engines/postgres.h"
#include "migrate/convert/transform.h"
#include "sql/schema/protect.h"

// `partywall schema convert`: the schema of an application that serves one tenant, made in a
// database that many share. docs/migrate.md is for its users.
namespace partywall::migrate {

struct ConvertSettings {
  ConversionRules rules;
  // Of `partywall schema protect`, which is a part of it. Its tenant column is that of the rules.
  sql::ProtectSettings protection;
};

struct ConversionPlan {
  std::string source;
  std::string target;
  std::map<std::string, TableClass> classes;
  sql::SchemaPlan plan;  // steps in their order, and findings
  // Nothing is done while there is one.
  std::vector<sql::SchemaFinding> refusals;
  std::vector<sql::SchemaFinding> breaks;
};

// The rules must have been checked against the source's catalog.
[[nodiscard]] Result<Catalog> read_source(postgres::Connection& source);

// Reads the target and decides; changes nothing.
[[nodiscard]] Result<ConversionPlan> plan_conversion(const Catalog& source,
                                                     postgres::Connection& target,
                                                     const ConvertSettings& settings);

// Plans and carries out, in one transaction, unless something is refused. At the end it plans
// again: if anything is left to do, everything is rolled back.
[[nodiscard]] Result<ConversionPlan> convert_schema(const Catalog& source,
                                                    postgres::Connection& target,
                                                    const ConvertSettings& settings);

}  // namespace partywall::migrate
