#include "migrate/apply/replication_slot.h"

#include <fmt/format.h>

namespace partywall::migrate {

using postgres::ReplicationConnection;

Result<NewSlot> NewSlot::create(const std::string& source, const std::string& name,
                                const std::function<bool()>& go_on) {
  auto connection = ReplicationConnection::open(source);
  if (!connection) return fail_with_context("source", connection.error());
  return create(*std::move(connection), name, "LOGICAL", go_on, milliseconds(250));
}

Result<NewSlot> NewSlot::create_temporary(ReplicationConnection connection, const std::string& name,
                                          const std::function<bool()>& go_on, Duration ask_every) {
  return create(std::move(connection), name, "TEMPORARY LOGICAL", go_on, ask_every);
}

Result<NewSlot> NewSlot::create(ReplicationConnection connection, const std::string& name,
                                std::string_view kind, const std::function<bool()>& go_on,
                                Duration ask_every) {
  const auto made =
      connection.command(fmt::format("CREATE_REPLICATION_SLOT {} {} pgoutput EXPORT_SNAPSHOT",
                                     postgres::quote_identifier(name), kind),
                         go_on, ask_every);
  if (!made) return fail_with_context("source: making a replication slot", made.error());
  const auto consistent = parse_lsn(made->text(0, 1));
  if (!consistent) return std::unexpected(consistent.error());
  return NewSlot(std::move(connection), {.name = name,
                                         .consistent_lsn = *consistent,
                                         .snapshot_name = std::string(made->text(0, 2))});
}

}  // namespace partywall::migrate
