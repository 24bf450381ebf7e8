#include "migrate/copy/relation.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace partywall::migrate {
namespace {

std::string_view format_of(const Relation& relation) {
  return relation.is_portable() ? "binary" : "text";
}

std::string names_of(const Relation& relation) {
  std::string names;
  for (const RelationColumn& column : relation.columns) {
    if (!names.empty()) names += ", ";
    names += column.name;
  }
  return names;
}

}  // namespace

bool Relation::is_portable() const {
  return std::ranges::all_of(columns, &RelationColumn::has_portable_image);
}

std::vector<Chunk> plan_chunks(const Relation& relation, uint64_t blocks_per_chunk) {
  const uint64_t step =
      blocks_per_chunk == 0 ? std::numeric_limits<uint64_t>::max() : blocks_per_chunk;
  std::vector<Chunk> chunks;
  for (uint64_t first = 0; first == 0 || first < relation.blocks;) {
    const bool is_last = relation.blocks <= first || relation.blocks - first <= step;
    const uint64_t end = is_last ? 0 : first + step;
    chunks.push_back({relation.name, static_cast<uint32_t>(chunks.size()), first, end});
    if (is_last) break;
    first = end;
  }
  return chunks;
}

std::string copy_out_statement(const Relation& relation, const Chunk& chunk) {
  std::string where;
  if (chunk.first_block > 0) where += fmt::format(" WHERE ctid >= '({},0)'", chunk.first_block);
  if (chunk.end_block > 0) {
    where += where.empty() ? " WHERE" : " AND";
    where += fmt::format(" ctid < '({},0)'", chunk.end_block);
  }
  return fmt::format("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT (FORMAT {})", names_of(relation),
                     relation.name, where, format_of(relation));
}

std::string copy_in_statement(const Relation& relation, const std::string& tenant_column) {
  const std::string separator = relation.columns.empty() ? "" : ", ";
  return fmt::format("COPY {} ({}{}{}) FROM STDIN (FORMAT {})", relation.name, tenant_column,
                     separator, names_of(relation), format_of(relation));
}

}  // namespace partywall::migrate
