// COPY FROM on tables with row-level security, which PostgreSQL refuses: see
// copy/copy_translation.h.
#include "sql/client/client_fsm.h"
#include "sql/door_errors.h"
#include "sql/wire/field_reader.h"

namespace partywall::sql {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSync = "S\0\0\0\4"sv;

// The one value of a DataRow with one column.
std::string_view only_value(std::string_view row) {
  FieldReader reader(row);
  if (reader.u16() != 1) return {};
  return reader.bytes(reader.u32());
}

}  // namespace

// nullopt: it is passed on as it is. Only the simple protocol's: libraries use no other for it.
std::optional<CopyFrom> ClientFsm::copy_to_be_translated(std::string_view text) const {
  if (!syntax_.ascii_safe_encoding) return std::nullopt;
  return parse_copy_from(text, syntax_);
}

void ClientFsm::ask_about_copy(CopyFrom copy, std::string_view query) {
  open_on_server();
  copy_ = std::make_unique<CopyTranslation>(std::move(copy), query, limits_.max_copy_row_bytes);
  copy_->write_question(to_server_->tail());
  server_->unnamed_statement_replaced(0);
  for (const Request request : {Request::kParse, Request::kBind, Request::kExecute})
    server_->expect(request, Disposition::kSwallow);
  awaiting_ready_ = true;
}

void ClientFsm::on_swallowed_row(std::string_view row) {
  if (copy_) copy_->add_column(only_value(row));
}

void ClientFsm::on_swallowed_execute(std::string_view tag) {
  if (!copy_) return;
  if (copy_->phase() != CopyTranslation::Phase::kAsking) {
    act_on_copy(copy_->batch_done(tag));
  } else if (copy_->begin()) {
    copy_->write_invitation(to_client_.tail());
  } else {
    append_query(to_server_->tail(), copy_->query());
    server_->expect(Request::kQuery);
    copy_.reset();
  }
}

void ClientFsm::take_copy_data(std::string_view bytes) {
  while (copy_ && !bytes.empty()) act_on_copy(copy_->take(bytes));
}

void ClientFsm::take_end_of_copy(std::string_view message) {
  copy_data_ended_ = true;
  if (message.front() == 'c') {
    const CopyTranslation::Next next = copy_->take_end();
    act_on_copy(next);
    if (next == CopyTranslation::Next::kSend && !copy_->is_failing()) end_copy();
    return;
  }
  FieldReader reader(message.substr(kHeadLength));
  act_on_copy(copy_->fail(errors::copy_failed_by_client(reader.c_string())));
}

void ClientFsm::act_on_copy(CopyTranslation::Next next) {
  switch (next) {
    case CopyTranslation::Next::kNothing:
      break;
    case CopyTranslation::Next::kSend:
      if (copy_->write(to_server_->tail())) server_->expect(Request::kParse, Disposition::kSwallow);
      server_->expect(Request::kBind, Disposition::kSwallow);
      server_->expect(Request::kExecute, Disposition::kSwallow);
      break;
    case CopyTranslation::Next::kFail:
      refusal_ = copy_->take_failure();
      append_failing_bind();
      [[fallthrough]];
    case CopyTranslation::Next::kEnd:
      end_copy();
      break;
  }
}

void ClientFsm::end_copy() {
  copy_->ending();
  to_server_->tail().append(kSync);
  server_->expect(Request::kSync);
  await_ready();
}

// Because of an error the server ignores everything up to a Sync, which only the door can send.
void ClientFsm::end_copy_after_error() {
  if (copy_ && server_ && server_->is_skipping()) end_copy();
}

bool ClientFsm::interrupt_copy(const SqlError& error) {
  if (!copy_ || copy_->phase() != CopyTranslation::Phase::kTaking) return false;
  act_on_copy(copy_->fail(error));
  return copy_->phase() == CopyTranslation::Phase::kEnding;
}

}  // namespace partywall::sql
