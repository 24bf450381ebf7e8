#include "migrate/apply/replication_slot.h"

#include <fmt/format.h>

namespace partywall::migrate {

Result<NewSlot> NewSlot::create(const std::string& source, const std::string& name,
                                const std::function<bool()>& go_on) {
  auto connection = postgres::ReplicationConnection::open(source);
  if (!connection) return fail_with_context("source", connection.error());
  const auto made =
      connection->command(fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput EXPORT_SNAPSHOT",
                                      postgres::quote_identifier(name)),
                          go_on);
  if (!made) return fail_with_context("source: making a replication slot", made.error());
  const auto consistent = parse_lsn(made->text(0, 1));
  if (!consistent) return std::unexpected(consistent.error());
  return NewSlot(*std::move(connection), {.name = name,
                                          .consistent_lsn = *consistent,
                                          .snapshot_name = std::string(made->text(0, 2))});
}

}  // namespace partywall::migrate
