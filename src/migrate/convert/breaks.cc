#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "migrate/convert/transform_parts.h"
#include "sql/lexer.h"

namespace partywall::migrate {
namespace {

using sql::FindingLevel;

struct Word {
  std::string_view word;
  std::string_view message;
};

constexpr std::array kWords{
    Word{"truncate", "TRUNCATE: tenants have no right to it, and it would empty the table for all"},
    Word{"lock", "LOCK: it locks the table for all tenants"},
    Word{"copy", "COPY FROM is refused under row-level security"},
    Word{"nextval", "nextval: the sequences are each tenant's own"},
    Word{"currval", "currval: the sequences are each tenant's own"},
    Word{"lastval", "lastval: the sequences are each tenant's own"},
    Word{"setval", "setval: the sequences are each tenant's own"},
    Word{"pg_get_serial_sequence", "pg_get_serial_sequence finds no sequence any more"},
    Word{"temporary", "temporary tables need a cell with sql.allow_temp"},
    Word{"temp", "temporary tables need a cell with sql.allow_temp"},
    Word{"conflict", "ON CONFLICT (columns) must name the tenant's column too"},
    Word{"lo_create", "large objects are common to all tenants"},
    Word{"lo_import", "large objects are common to all tenants"},
    Word{"lo_unlink", "large objects are common to all tenants"},
};

// The words as tokens: not in strings, comments and quoted names.
void read_body(const Routine& routine, Conversion& conversion) {
  const std::string object = "function " + routine.signature;
  std::set<std::string_view> messages;
  sql::Lexer lexer(routine.source);
  for (sql::Token token = lexer.next();
       token.kind != sql::TokenKind::kEnd && token.kind != sql::TokenKind::kError;
       token = lexer.next()) {
    if (routine.language == "plpgsql" && token.is_word("execute")) {
      messages.insert("dynamic SQL (EXECUTE): what it runs is not looked at");
    }
    for (const Word& word : kWords) {
      if (token.is_word(word.word)) messages.insert(word.message);
    }
  }
  for (const std::string_view message : messages)
    breaks(conversion, FindingLevel::kWarning, object, std::string(message), "Look at its body.");
}

// The application's own statements are not looked at; this is what to look for in them.
void general_breaks(const Catalog& source, Conversion& conversion) {
  std::vector<std::string> keyed;
  for (const Table& table : source.tables) {
    const bool has_key = std::ranges::any_of(table.constraints, [](const Constraint& one) {
      return one.kind == ConstraintKind::kPrimary || one.kind == ConstraintKind::kUnique;
    });
    if (has_key && table.parent.empty() &&
        class_of(conversion, table.name) == TableClass::kTenant) {
      keyed.push_back(table.name);
    }
  }
  if (keyed.empty()) return;
  breaks(conversion, FindingLevel::kInfo, "application",
         fmt::format("ON CONFLICT (columns) no longer fits the keys of {}: 42P10",
                     fmt::join(keyed, ", ")),
         "Use ON CONFLICT ON CONSTRAINT, whose names stay, or put the tenant's column first in the "
         "list.");
  breaks(conversion, FindingLevel::kInfo, "application",
         "GROUP BY of a primary key alone no longer decides the table's other columns: 42803",
         "Add the tenant's column to GROUP BY.");
  breaks(conversion, FindingLevel::kInfo, "application",
         "SELECT * has one column more, the last; TRUNCATE, LOCK and COPY FROM are refused to "
         "tenants",
         "");
}

}  // namespace

void find_breaks(const Catalog& source, Conversion& conversion) {
  for (const Routine& routine : conversion.wanted.routines) {
    if (routine.kind == "AGGREGATE") continue;
    if (routine.language == "sql" || routine.language == "plpgsql") {
      read_body(routine, conversion);
    } else {
      breaks(conversion, FindingLevel::kInfo, "function " + routine.signature,
             fmt::format("its body ({}) is not looked at", routine.language), "");
    }
  }
  general_breaks(source, conversion);
}

}  // namespace partywall::migrate
