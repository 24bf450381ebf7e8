#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engines/postgres.h"
#include "migrate/convert/rules.h"
#include "migrate/schema/catalog.h"

// What is moved: the tables that hold a tenant's rows, partitions each by themselves.
namespace partywall::migrate {

struct RelationColumn {
  std::string name;  // quoted where it must be
  // Its binary image means the same in every database. Those of arrays and composites of types that
  // somebody made, and of names of objects (regclass), hold numbers of this database's catalogs;
  // some types of extensions have none.
  bool has_portable_image = true;
};

struct Relation {
  std::string name;                     // as in Catalog: "public.film"
  std::vector<RelationColumn> columns;  // without generated ones, in the table's order
  // The columns of its primary key, each one of `columns`; empty: it has none, or one with a
  // generated column.
  std::vector<std::string> key;
  uint64_t blocks = 0;    // of 8 KiB, in the source
  uint32_t filenode = 0;  // another one: it was written anew, rows have new places

  [[nodiscard]] bool is_portable() const;
};

// Of the tables of class kTenant, in the transaction that is open. The largest come first.
Result<std::vector<Relation>> read_relations(postgres::Connection& source, const Catalog& catalog,
                                             const std::map<std::string, TableClass>& classes);

// A part of a relation: the rows in some of its blocks.
struct Chunk {
  std::string relation;
  uint32_t number = 0;  // within the relation, from 0
  uint64_t first_block = 0;
  uint64_t end_block = 0;  // 0: to the end, however much is added meanwhile

  auto operator<=>(const Chunk&) const = default;
};

// `blocks_per_chunk` 0: all in one. There is always at least one.
[[nodiscard]] std::vector<Chunk> plan_chunks(const Relation& relation, uint64_t blocks_per_chunk);

// COPY (SELECT …) TO STDOUT and COPY … FROM STDIN, binary where the relation is portable and as
// text where not.
[[nodiscard]] std::string copy_out_statement(const Relation& relation, const Chunk& chunk);
[[nodiscard]] std::string copy_in_statement(const Relation& relation,
                                            const std::string& tenant_column);

}  // namespace partywall::migrate
