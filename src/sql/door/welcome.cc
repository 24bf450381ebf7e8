#include "sql/door/welcome.h"

#include "sql/wire/message_writer.h"

namespace partywall::sql {

void append_welcome(std::string& out, const Settings& told, const CancelRequest& key) {
  MessageWriter(out, 'R').u32(0);  // AuthenticationOk
  for (const auto& [name, value] : told.entries()) append_parameter_status(out, name, value);
  append_backend_key_data(out, key.pid, key.secret);
  append_ready_for_query(out, TransactionStatus::kIdle);
}

}  // namespace partywall::sql
