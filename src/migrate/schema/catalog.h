#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

// What a database's catalogs say about an application's schema, as plain data. Names, types and
// expressions are the server's own text (read with search_path = pg_catalog): qualified, and quoted
// only where PostgreSQL must. So equal things have equal text, and the text is valid SQL.
namespace partywall::migrate {

enum class Identity : uint8_t { kNone, kAlways, kByDefault };

struct Column {
  std::string name;
  std::string type;       // with its modifier: "numeric(5,2)"
  std::string collation;  // empty: that of its type
  bool not_null = false;
  std::string default_value;  // empty: none
  std::string generated;      // the expression of GENERATED ALWAYS AS (…) STORED; empty: it is not
  Identity identity = Identity::kNone;
  // What the default or the identity draws from.
  std::vector<std::string> sequences;

  auto operator<=>(const Column&) const = default;
};

enum class ConstraintKind : uint8_t { kPrimary, kUnique, kExclusion, kForeign, kCheck };

// The parts of a foreign key; its definition is made of them.
struct Reference {
  std::vector<std::string> columns;
  std::string table;
  std::vector<std::string> referenced_columns;
  bool match_full = false;
  std::string on_update;  // "CASCADE"; empty: NO ACTION
  std::string on_delete;
  std::vector<std::string> set_columns;  // of ON DELETE SET NULL (…) and SET DEFAULT (…)
  std::string timing;                    // " DEFERRABLE INITIALLY DEFERRED", " NOT VALID"

  auto operator<=>(const Reference&) const = default;
};

// As pg_get_constraintdef writes it.
[[nodiscard]] std::string definition_of(const Reference& reference);

struct Constraint {
  std::string name;
  ConstraintKind kind = ConstraintKind::kCheck;
  std::string definition;
  std::string method;   // of the index behind it
  Reference reference;  // of kForeign
  // Grows with the time at which it was made, its index for a key: what a row violates first is
  // what was made first.
  int64_t age = 0;
};

struct Index {
  std::string name;
  bool is_unique = false;
  std::string method;
  std::string rest;  // after the opening parenthesis: "lower(email)) WHERE (active)"
  int64_t age = 0;   // as a constraint's
  // It has a WHERE, or PostgreSQL may search it, or order by it, before row-level security.
  bool is_searched_early = true;
};

struct Trigger {
  std::string name;
  std::string definition;
  std::string firing;  // "ENABLE ALWAYS", "DISABLE" …; empty: the usual

  auto operator<=>(const Trigger&) const = default;
};

struct Table {
  std::string name;
  bool is_unlogged = false;
  std::string partition_key;  // "RANGE (payment_date)"; empty: it is not partitioned
  std::string parent;         // of a partition
  std::string bound;          // of a partition: "FOR VALUES FROM … TO …"
  std::string options;        // "fillfactor=70"
  std::vector<Column> columns;
  std::vector<Constraint> constraints;
  std::vector<Index> indexes;  // without those behind constraints
  std::vector<Trigger> triggers;
  bool may_have_rows = false;
};

enum class TypeKind : uint8_t { kEnum, kDomain, kComposite, kRange };

struct Type {
  std::string name;
  TypeKind kind = TypeKind::kEnum;
  std::string definition;           // of a new one: CREATE TYPE …, CREATE DOMAIN …
  std::vector<std::string> labels;  // of an enum, each as a literal
};

struct Routine {
  std::string signature;   // "public.last_day(timestamp with time zone)"
  std::string kind;        // "FUNCTION", "PROCEDURE", "AGGREGATE"
  std::string definition;  // CREATE OR REPLACE …
  bool is_definer = false;
  bool public_may_execute = true;
  std::string language;
  std::string source;                  // its body, where it is text
  std::vector<std::string> row_types;  // tables whose rows it takes or returns
};

struct Sequence {
  std::string name;
  std::string options;  // "AS integer INCREMENT BY 1 …"

  auto operator<=>(const Sequence&) const = default;
};

struct View {
  std::string name;
  bool is_materialized = false;
  std::string options;  // "security_barrier=true, security_invoker=true"
  std::string query;
  std::vector<Trigger> triggers;
  std::vector<std::string>
      keys;  // whose columns its GROUP BY relies on: "film_pkey of public.film"
};

// A right of a role other than the owner.
struct Grant {
  std::string object;     // "TABLE public.film", "SCHEMA public"
  std::string role;       // "PUBLIC": everybody
  std::string privilege;  // "SELECT"

  auto operator<=>(const Grant&) const = default;
};

// Something that is there and that the model does not hold.
struct OtherObject {
  std::string object;  // "rule log on table public.film"
  std::string why;     // why it is not carried over

  auto operator<=>(const OtherObject&) const = default;
};

struct Catalog {
  std::string database;
  std::string user;  // who read it
  int server_version = 0;
  std::string encoding;
  std::string collation;
  std::set<std::string> roles;  // of the server
  std::set<std::string> schemas;
  std::map<std::string, std::string> extensions;  // name: schema
  std::vector<Type> types;
  std::vector<Routine> routines;
  std::vector<Sequence> sequences;
  std::vector<Table> tables;
  std::vector<View> views;
  std::map<std::string, std::string> comments;  // "COLUMN public.film.title": text
  std::set<Grant> grants;
  std::vector<OtherObject> others;
  // "table public.film", "type …", "routine …", "view …": each after what it is made of.
  std::vector<std::string> order;
  // Pairs of them: the first is made of the second.
  std::set<std::pair<std::string, std::string>> uses;

  [[nodiscard]] const Table* find_table(const std::string& name) const;
};

}  // namespace partywall::migrate
