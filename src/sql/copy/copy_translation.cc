#include "sql/copy/copy_translation.h"

#include <algorithm>

#include "sql/copy/copy_errors.h"
#include "sql/wire/command_tag.h"
#include "sql/wire/extended_messages.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

using namespace std::string_view_literals;

// Nothing in it depends on the tenant's search_path but the name of the table, as in its COPY.
constexpr std::string_view kQuestion =
    "SELECT a.attname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a "
    "ON a.attrelid OPERATOR(pg_catalog.=) c.oid "
    "WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid "
    "AND (c.relkind OPERATOR(pg_catalog.=) 'r' OR c.relkind OPERATOR(pg_catalog.=) 'p') "
    "AND pg_catalog.row_security_active(c.oid) AND a.attnum OPERATOR(pg_catalog.>) 0 "
    "AND NOT a.attisdropped AND a.attgenerated OPERATOR(pg_catalog.=) '' "
    "ORDER BY a.attnum\0\0\1\0\0\0\31"sv;  // one parameter, of type text

bool holds_all(const std::vector<std::string>& known, const std::vector<std::string>& names) {
  return std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(known, name) != known.end();
  });
}

bool has_twice(std::vector<std::string> names) {
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

}  // namespace

CopyTranslation::CopyTranslation(CopyFrom copy, std::string_view query, size_t max_row_bytes)
    : copy_(std::move(copy)), query_(query), max_row_bytes_(max_row_bytes) {}

void CopyTranslation::write_question(std::string& out) const {
  append_parse(out, "", kQuestion);
  MessageWriter(out, 'B')
      .c_string("")
      .c_string("")
      .u16(0)
      .u16(1)
      .u32(static_cast<uint32_t>(copy_.table.size()))
      .bytes(copy_.table)
      .u16(0);
  MessageWriter(out, 'E').c_string("").u32(0);
  append_empty_message(out, 'H');
}

// What PostgreSQL would say against the columns it shall say itself.
bool CopyTranslation::begin() {
  columns_ = copy_.columns.empty() ? table_columns_ : copy_.columns;
  const bool is_well = !columns_.empty() && holds_all(table_columns_, columns_) &&
                       !has_twice(columns_) && holds_all(columns_, copy_.format.force_null) &&
                       holds_all(columns_, copy_.format.force_not_null);
  if (!is_well || table_columns_.empty()) return false;
  decoder_.emplace(copy_.format, columns_, max_row_bytes_);
  batch_.emplace(copy_, columns_);
  phase_ = Phase::kTaking;
  return true;
}

void CopyTranslation::write_invitation(std::string& out) const {
  const uint8_t format = copy_.format.kind == CopyFormat::Kind::kBinary ? 1 : 0;
  MessageWriter message(out, 'G');
  message.u8(format).u16(static_cast<uint16_t>(columns_.size()));
  for (size_t i = 0; i < columns_.size(); ++i) message.u16(format);
}

CopyTranslation::Next CopyTranslation::take(std::string_view& bytes) {
  while (phase_ == Phase::kTaking) {
    switch (decoder_->next(bytes)) {
      case CopyDecoder::Outcome::kRow:
        batch_->add(decoder_->row());
        if (batch_->is_full()) return Next::kSend;
        break;
      case CopyDecoder::Outcome::kError:
        bytes = {};
        return fail_in_its_turn();
      case CopyDecoder::Outcome::kEnd:
      case CopyDecoder::Outcome::kNeedMore:
        bytes = {};
        return Next::kNothing;
    }
  }
  bytes = {};
  return Next::kNothing;
}

CopyTranslation::Next CopyTranslation::take_end() {
  while (phase_ == Phase::kTaking) {
    switch (decoder_->finish()) {
      case CopyDecoder::Outcome::kRow:
        batch_->add(decoder_->row());
        break;
      case CopyDecoder::Outcome::kError:
        return fail_in_its_turn();
      case CopyDecoder::Outcome::kEnd:
      case CopyDecoder::Outcome::kNeedMore:
        return batch_->rows() > 0 ? Next::kSend : Next::kEnd;
    }
  }
  return Next::kNothing;
}

CopyTranslation::Next CopyTranslation::fail(SqlError error) {
  if (phase_ != Phase::kTaking) return Next::kNothing;
  if (decoder_->line() > 0) error.context = line_context(copy_.name, decoder_->line());
  failure_ = std::move(error);
  phase_ = Phase::kFailing;
  return fail_if_answered();
}

// Something may be wrong with the rows before that line too: that is what the client is told then.
CopyTranslation::Next CopyTranslation::fail_in_its_turn() {
  const Next next = fail(decoder_->error());
  return batch_->rows() > 0 ? Next::kSend : next;
}

bool CopyTranslation::write(std::string& out) {
  const size_t rows = batch_->rows();
  const bool is_prepared = rows == prepared_rows_;
  if (!is_prepared) append_parse(out, "", batch_->definition(rows));
  prepared_rows_ = rows;
  on_the_way_.push_back(batch_->lines());
  batch_->write(out);
  return !is_prepared;
}

CopyTranslation::Next CopyTranslation::batch_done(std::string_view tag) {
  if (on_the_way_.empty()) return Next::kNothing;
  copied_ += rows_of_tag(tag);
  on_the_way_.pop_front();
  return fail_if_answered();
}

std::string CopyTranslation::error_message(std::string_view body) const {
  static const std::vector<uint64_t> kNoLines = {1};
  return copy_error_message(body, {.table = copy_.name,
                                   .columns = columns_,
                                   .lines = on_the_way_.empty() ? kNoLines : on_the_way_.front()});
}

}  // namespace partywall::sql
