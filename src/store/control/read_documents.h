#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "engines/postgres.h"
#include "store/control/session.h"

namespace partywall::store {

// The one document in column 0 of a row.
template <class Read>
auto read_document(const postgres::Rows& rows, size_t row, Read read) {
  using Record = decltype(read(std::declval<const JsonValue&>()));
  constexpr size_t kMostBytes = 16 << 20;
  const auto document = JsonValue::parse(rows.text(row), {.max_bytes = kMostBytes});
  if (!document) return Record(fail_with_context("control store", document.error()));
  return read(*document);
}

// What `read` makes of each row of a query of one column of documents.
template <class Record, class Read>
Result<std::vector<Record>> read_documents(Session& session, const std::string& sql, Read read) {
  const auto rows = session.execute(sql);
  if (!rows) return std::unexpected(rows.error());
  std::vector<Record> records;
  records.reserve(rows->size());
  for (size_t row = 0; row < rows->size(); ++row) {
    auto record = read_document(*rows, row, read);
    if (!record) return std::unexpected(record.error());
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace partywall::store
