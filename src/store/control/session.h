#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/uuid.h"
#include "engines/postgres.h"
#include "identity/sealing_key.h"

namespace partywall::store {

// A connection to the control store, for the functions that read (tenants.h, cells.h, …). Not
// thread-safe.
class Session {
 public:
  // All of them outlive the session.
  Session(postgres::Connection& connection, const SealingKey& key, Random& random)
      : connection_(connection), key_(key), random_(random) {}

  // One statement. Violated constraints are kConflict, with a message for people.
  Result<postgres::Rows> execute(const std::string& sql,
                                 const std::vector<postgres::Parameter>& parameters = {});

  [[nodiscard]] postgres::Connection& connection() { return connection_; }
  // Secrets are kept sealed with it (sealed_text.h).
  [[nodiscard]] const SealingKey& node_key() const { return key_; }
  [[nodiscard]] Random& random() { return random_; }
  // The SQLSTATE of the last statement that failed.
  [[nodiscard]] const std::string& failed_with() const { return failed_with_; }

 private:
  postgres::Connection& connection_;
  const SealingKey& key_;
  Random& random_;
  std::string failed_with_;
};

// Who changes something, and why. It goes into the audit outbox together with each change.
struct Author {
  std::string actor;  // "token ops", "control node-1"
  std::string reason;
  std::string request_id;
  std::string address;  // where the request came from
};

// What an update insists on; a mismatch is kConflict.
using ExpectedVersion = std::optional<uint64_t>;

// An open transaction that changes the store: made by ControlStore::change(), for the functions
// that write. Each of them notes what it did, as an event and in the audit outbox.
class Change : public Session {
 public:
  Change(postgres::Connection& connection, const SealingKey& key, Random& random, Author author)
      : Session(connection, key, random), author_(std::move(author)) {}

  [[nodiscard]] const Author& author() const { return author_; }
  // `type`: "tenant.created" …; `data` is an object without secrets, empty where there is nothing
  // to add.
  Result<> note(std::string_view type, std::optional<Uuid> tenant, std::string_view subject,
                const JsonValue& data = JsonValue(JsonObject()));

 private:
  Author author_;
};

// For parameters: milliseconds since 1970, as the SQL of this folder wants times.
[[nodiscard]] postgres::Parameter to_parameter(std::optional<WallTime> time);
[[nodiscard]] WallTime to_time(int64_t milliseconds_since_1970);
[[nodiscard]] std::optional<WallTime> to_optional_time(const postgres::Rows& rows, size_t row,
                                                       size_t column);

}  // namespace partywall::store
