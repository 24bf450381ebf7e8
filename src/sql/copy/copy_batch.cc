#include "sql/copy/copy_batch.h"

#include <fmt/format.h>

#include "engines/postgres.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

constexpr size_t kMaxRows = 500;
constexpr size_t kMaxBytes = 64 * 1024;
// PostgreSQL counts them in 16 bits.
constexpr size_t kMaxParameters = 65'535;
constexpr uint32_t kNullLength = 0xffffffff;

}  // namespace

// As COPY does, it sets identity columns to what is given, GENERATED ALWAYS or not.
CopyBatch::CopyBatch(const CopyFrom& copy, const std::vector<std::string>& columns)
    : insert_(fmt::format("INSERT INTO {} (", copy.table)),
      columns_(columns.size()),
      is_binary_(copy.format.kind == CopyFormat::Kind::kBinary) {
  for (const std::string& column : columns) {
    if (&column != &columns.front()) insert_ += ", ";
    insert_ += postgres::quote_identifier(column);
  }
  insert_ += ") OVERRIDING SYSTEM VALUE VALUES ";
}

void CopyBatch::add(const CopyRow& row) {
  for (const auto& value : row.values) {
    append_u32(values_, value ? static_cast<uint32_t>(value->size()) : kNullLength);
    if (value) values_ += *value;
  }
  lines_.push_back(row.line);
}

bool CopyBatch::is_full() const {
  return rows() >= kMaxRows || values_.size() >= kMaxBytes ||
         (rows() + 1) * columns_ > kMaxParameters;
}

std::string CopyBatch::definition(size_t rows) const {
  std::string text = insert_;
  size_t parameter = 0;
  for (size_t row = 0; row < rows; ++row) {
    text += row == 0 ? "(" : ", (";
    for (size_t column = 0; column < columns_; ++column) {
      text += column == 0 ? "$" : ", $";
      text += std::to_string(++parameter);
    }
    text += ")";
  }
  text.push_back('\0');
  append_u16(text, 0);
  return text;
}

void CopyBatch::write(std::string& out) {
  MessageWriter(out, 'B')
      .c_string("")
      .c_string("")
      .u16(1)
      .u16(is_binary_ ? 1 : 0)
      .u16(static_cast<uint16_t>(rows() * columns_))
      .bytes(values_)
      .u16(0);
  MessageWriter(out, 'E').c_string("").u32(0);
  append_empty_message(out, 'H');
  values_.clear();
  lines_.clear();
}

}  // namespace partywall::sql
