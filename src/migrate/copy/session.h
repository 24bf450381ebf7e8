#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engines/postgres.h"

// Connections to both databases, set so that a value has one form whatever the roles' settings are.
namespace partywall::migrate {

// Settings that both ends share: how values look as text, no time-outs, no search path but
// pg_catalog, and an error where row-level security would leave rows out.
Result<postgres::Connection> open_session(const std::string& connection_string);

// The same, and neither foreign keys nor the application's triggers act on what it writes: the
// source has checked and carried them out. Needs the right to set session_replication_role.
Result<postgres::Connection> open_loader(const std::string& connection_string);

// What happens when the connection is gone that holds a picture.
enum class WhenLost : uint8_t {
  kTakeAnother,
  kFail,  // kConflict, for good
};

// One picture of a database for many connections: a transaction that stays open has exported it.
// Thread-safe.
class Snapshot {
 public:
  explicit Snapshot(std::string connection_string, WhenLost when_lost = WhenLost::kTakeAnother)
      : connection_string_(std::move(connection_string)), when_lost_(when_lost) {}

  // Opens the connection that will hold it, so that take() and adopt() are quick.
  Result<> connect();
  // The picture of this moment. join() does it by itself where that is enough.
  Result<> take();
  // The picture that another session exports, which is needed no more when this returns.
  Result<> adopt(const std::string& exported);
  // Lets nobody change the form of these relations, or empty them at once, while it is held.
  Result<> lock(const std::vector<std::string>& relations);

  // A connection in a read-only transaction that sees the picture. If the one that holds it is
  // gone, a new one is taken, which taken() counts; or see WhenLost.
  Result<postgres::Connection> join();
  // It was held, and is no longer.
  [[nodiscard]] bool is_lost();
  // How many pictures were taken so far; more than one: the database may have changed between
  // them.
  [[nodiscard]] size_t taken() const;

 private:
  Result<> ensure_held();
  Result<> begin(const std::string& exported);
  bool still_held();

  std::string connection_string_;
  WhenLost when_lost_;
  mutable std::mutex mutex_;
  std::optional<postgres::Connection> holder_;
  std::string name_;
  size_t taken_ = 0;
};

}  // namespace partywall::migrate
