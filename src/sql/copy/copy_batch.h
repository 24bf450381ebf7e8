#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sql/copy/copy_row.h"
#include "sql/copy/copy_statement.h"

namespace partywall::sql {

// Rows on their way into one INSERT: an unnamed statement whose parameters have the types of their
// columns, so that PostgreSQL itself converts the values, and none of them stands in the text of a
// statement.
class CopyBatch {
 public:
  CopyBatch(const CopyFrom& copy, const std::vector<std::string>& columns);

  void add(const CopyRow& row);
  [[nodiscard]] bool is_full() const;
  // The number of each row's line.
  [[nodiscard]] const std::vector<uint64_t>& lines() const { return lines_; }
  [[nodiscard]] size_t rows() const { return lines_.size(); }
  // What a Parse needs for so many rows: the query and its (missing) parameter types.
  [[nodiscard]] std::string definition(size_t rows) const;
  // Bind and Execute of it, and a Flush so that the answer comes at once. The batch is empty then.
  void write(std::string& out);

 private:
  std::string insert_;  // up to VALUES
  size_t columns_;
  bool is_binary_;
  std::string values_;  // as Bind has them
  std::vector<uint64_t> lines_;
};

}  // namespace partywall::sql
