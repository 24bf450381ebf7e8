#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "engines/postgres_replication.h"
#include "migrate/apply/lsn.h"

namespace partywall::migrate {

struct ReplicationSlot {
  std::string name;
  // The stream has every transaction that commits from here on, and none that committed before.
  Lsn consistent_lsn;
  // SET TRANSACTION SNAPSHOT of this shows exactly what committed before.
  std::string snapshot_name;
};

// A slot that was just made. Its snapshot can be taken as long as this lives.
class NewSlot {
 public:
  // Waits until every transaction has ended that was open when it began; `go_on` is asked four
  // times a second meanwhile, and if it says no nothing was made (kTimeout).
  static Result<NewSlot> create(const std::string& source, const std::string& name,
                                const std::function<bool()>& go_on);

  // For its snapshot alone: it is gone with the connection.
  static Result<NewSlot> create_temporary(postgres::ReplicationConnection connection,
                                          const std::string& name,
                                          const std::function<bool()>& go_on, Duration ask_every);

  [[nodiscard]] const ReplicationSlot& slot() const { return slot_; }

 private:
  static Result<NewSlot> create(postgres::ReplicationConnection connection, const std::string& name,
                                std::string_view kind, const std::function<bool()>& go_on,
                                Duration ask_every);
  NewSlot(postgres::ReplicationConnection connection, ReplicationSlot slot)
      : connection_(std::move(connection)), slot_(std::move(slot)) {}

  postgres::ReplicationConnection connection_;
  ReplicationSlot slot_;
};

}  // namespace partywall::migrate
