#include "migrate/verify/read_side.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engines/postgres_copy.h"
#include "migrate/verify/row_images.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::CopyOut;

// The key's columns, then the others.
std::vector<RelationColumn> key_first(const Relation& relation) {
  std::vector<RelationColumn> columns = relation.columns;
  const auto place = [&](const RelationColumn& column) {
    return std::ranges::find(relation.key, column.name) - relation.key.begin();
  };
  std::vector<std::pair<std::ptrdiff_t, RelationColumn>> placed;
  placed.reserve(columns.size());
  for (RelationColumn& column : columns) placed.emplace_back(place(column), std::move(column));
  std::ranges::sort(placed, [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.name < b.second.name;
  });
  columns.clear();
  for (auto& [at, column] : placed) columns.push_back(std::move(column));
  return columns;
}

// Without a primary key the whole row is its key.
size_t key_columns(const Relation& relation) {
  return relation.key.empty() ? relation.columns.size() : relation.key.size();
}

std::string copy_of(const Relation& relation, const RowFilter& filter,
                    const std::vector<std::string>& expressions) {
  const std::string where = filter.tenant_column.empty()
                                ? ""
                                : fmt::format(" WHERE {} = {}::uuid", filter.tenant_column,
                                              postgres::quote_literal(filter.tenant));
  return fmt::format("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT (FORMAT binary)",
                     fmt::join(expressions, ", "), relation.name, where);
}

std::vector<std::string> expressions_of(const Relation& relation) {
  std::vector<std::string> expressions;
  for (const RelationColumn& column : key_first(relation))
    expressions.push_back(column.has_portable_image ? column.name : column.name + "::text");
  return expressions;
}

Result<> read_images(Connection& connection, const std::string& copy, size_t columns,
                     const std::stop_token& stop, RowReader::Visit visit) {
  auto out = CopyOut::begin(connection, copy);
  if (!out) return std::unexpected(out.error());
  RowReader reader(columns, std::move(visit));
  while (true) {
    if (stop.stop_requested()) return fail(ErrorKind::kTimeout, "the comparison was stopped");
    const auto piece = out->next();
    if (!piece) return std::unexpected(piece.error());
    if (!*piece) return reader.finish();
    if (auto fed = reader.feed(**piece); !fed) return fed;
  }
}

}  // namespace

std::string digest_statement(const Relation& relation, const RowFilter& filter) {
  return copy_of(relation, filter, expressions_of(relation));
}

std::string rows_statement(const Relation& relation, const RowFilter& filter) {
  std::vector<std::string> shown = relation.key;
  if (shown.empty()) {
    for (const RelationColumn& column : relation.columns) shown.push_back(column.name);
  }
  std::vector<std::string> expressions = expressions_of(relation);
  expressions.insert(expressions.begin(), fmt::format("ROW({})::text", fmt::join(shown, ", ")));
  return copy_of(relation, filter, expressions);
}

Result<TableDigest> read_digest(Connection& connection, const Relation& relation,
                                const RowFilter& filter, const std::stop_token& stop) {
  TableDigest digest;
  const size_t columns = relation.columns.size();
  const size_t keys = key_columns(relation);
  auto read = read_images(connection, digest_statement(relation, filter), columns, stop,
                          [&](const RowImage& row) {
                            digest.add_row(TableDigest::bucket_of(row.fields(0, keys)),
                                           image_hash(row.fields(0, columns)));
                          });
  if (!read) return std::unexpected(read.error());
  return digest;
}

Result<KeyedRows> read_rows(Connection& connection, const Relation& relation,
                            const RowFilter& filter, const std::vector<size_t>& buckets,
                            const std::stop_token& stop) {
  KeyedRows rows;
  const size_t fields = relation.columns.size() + 1;
  const size_t key_end = key_columns(relation) + 1;
  auto read = read_images(connection, rows_statement(relation, filter), fields, stop,
                          [&](const RowImage& row) {
                            const std::string_view key = row.fields(1, key_end);
                            const size_t bucket = TableDigest::bucket_of(key);
                            if (!std::ranges::binary_search(buckets, bucket)) return;
                            rows.add(key, row.value(0), image_hash(row.fields(1, fields)));
                          });
  if (!read) return std::unexpected(read.error());
  return rows;
}

}  // namespace partywall::migrate
