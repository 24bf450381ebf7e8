#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "migrate/copy/row_sum.h"

// Puts a tenant's id in front of every row of a COPY stream, and takes nothing from the stream that
// could name another tenant. Sans-I/O: bytes in, bytes out, in pieces of any size.
namespace partywall::migrate {

struct SpliceSettings {
  // The first field of every row that comes out; nothing: rows come out as they went in (into a
  // database of one tenant, which has no such column).
  std::optional<Uuid> tenant;
  uint16_t columns = 0;  // fields of every row that goes in
  // A row that is longer is refused. PostgreSQL itself has no rows beyond 1 GiB.
  size_t max_row_bytes = size_t{1} << 30;
};

// The binary format: https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format". Refused are
// other signatures, any flag or header extension (PostgreSQL writes none), another number of
// fields, lengths beyond the row's limit, and anything after the trailer.
class BinarySplice {
 public:
  explicit BinarySplice(const SpliceSettings& settings);

  // Appends what is complete to `out`. After a failure (kInvalid, kLimit) nothing more may be fed.
  Result<> feed(std::string_view bytes, std::string& out);
  // The stream has ended: fails unless the trailer came.
  [[nodiscard]] Result<> finish() const;
  // Of the rows that went in, without the tenant.
  [[nodiscard]] const RowSum& sum() const { return sum_; }

 private:
  enum class State : uint8_t { kHeader, kRows, kEnded };

  Result<size_t> take_all(std::string_view bytes, std::string& out);
  Result<size_t> take_header(std::string_view bytes, std::string& out);
  Result<size_t> take_row(std::string_view bytes, std::string& out);
  Result<size_t> row_length(std::string_view bytes) const;

  SpliceSettings settings_;
  std::string row_start_;  // field count and tenant, as every row begins
  State state_ = State::kHeader;
  std::string pending_;  // the beginning of a row whose end is still to come
  RowSum sum_;
};

// The text format, for rows whose binary image means something else in another database. A line is
// a row: line breaks within values are escaped. Refused is what COPY TO does not send and would
// move the ends of rows or fields: carriage returns, and escapes other than \b \f \n \r \t \v \\ \N
// (so also the end-of-data marker).
class TextSplice {
 public:
  explicit TextSplice(const SpliceSettings& settings);

  Result<> feed(std::string_view bytes, std::string& out);
  // Fails in the middle of a line.
  [[nodiscard]] Result<> finish() const;
  [[nodiscard]] const RowSum& sum() const { return sum_; }

 private:
  Result<> take_line(std::string_view line, std::string& out);

  SpliceSettings settings_;
  std::string line_start_;
  std::string pending_;
  RowSum sum_;
};

}  // namespace partywall::migrate
