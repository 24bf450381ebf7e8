#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/scram.h"
#include "sql/server/server_fsm.h"

namespace partywall::sql {

// How the door logs in to PostgreSQL.
struct ServerLogin {
  enum class Purpose : uint8_t {
    kSlot,   // for tenants: the register must be there, the role must not have been tampered with
    kOwner,  // for a migration login: as it is
  };
  Purpose purpose = Purpose::kSlot;
  std::string role;
  std::string database;
  Secret password;
  std::vector<std::pair<std::string, std::string>> parameters;  // of the start-up packet, others
};

// The settings that the door depends on, as start-up options of slot roles: a role may change its
// own defaults (ALTER ROLE CURRENT_USER SET), but these win, and DISCARD ALL returns to them.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> slot_startup_parameters();

// Logs in to a server, sans-I/O: SCRAM-SHA-256 (or trust, where the server says so), then the
// ParameterStatus messages, then what must be looked up for the role. A slot role that has settings
// of its own is healed and the login fails: the next one finds it clean.
class ServerLoginFsm {
 public:
  ServerLoginFsm(ServerLogin login, std::optional<ScramClientKeys> cached_keys, Random& random);

  // The first bytes to send.
  void start(std::string& out);
  // Takes complete messages from the front of `input`, appends what is to be sent. True: logged in.
  // kDenied: the password is wrong, or the role was changed otherwise so that it may not log in.
  // kLimit: too many connections of the role (53300), try later.
  Result<bool> receive(std::string_view& input, std::string& out);

  ServerInfo take_info() { return std::move(info_); }
  // What to cache, once logged in with SCRAM.
  [[nodiscard]] std::optional<ScramClientKeys> keys() const;

 private:
  enum class State : uint8_t { kAuthenticating, kStarting, kLookingUp, kHealing, kDone };

  Result<> take(char type, std::string_view body, std::string& out);
  Result<> on_authentication(std::string_view body, std::string& out);
  Result<> on_mechanisms(std::string_view list, std::string& out);
  Result<> on_ready(std::string& out);
  Result<> on_row(std::string_view body);
  Result<> on_error(std::string_view body);

  ServerLogin login_;
  ScramClientFsm scram_;
  bool used_scram_ = false;
  bool verified_server_ = false;
  bool has_row_ = false;
  std::string healing_;  // statements; empty: nothing is to be healed
  State state_ = State::kAuthenticating;
  ServerInfo info_;
};

}  // namespace partywall::sql
