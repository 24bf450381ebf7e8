#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/endpoint.h"
#include "base/result.h"
#include "cache/slot_map.h"
#include "tenancy/directory.h"

namespace partywall::cache {

struct LoginRefusal {
  Endpoint server;
  std::string problem;
};

// Where one worker finds one cache instance of a cell, and how it logs in there. There is one
// object for all tenants of the instance; another one as soon as the directory says anything else.
// A RouteWatch keeps it true where servers take over from each other.
class CacheRoute {
 public:
  CacheRoute(const Cell& cell, const CacheInstance& instance);
  CacheRoute(const CacheRoute&) = delete;
  CacheRoute& operator=(const CacheRoute&) = delete;

  [[nodiscard]] const CacheInstance& instance() const { return instance_; }
  [[nodiscard]] const CacheBackend& backend() const { return backend_; }
  // "cell shared, cache main", for messages.
  [[nodiscard]] const std::string& name() const { return name_; }
  // Would a new route for the instance lead elsewhere, or log in otherwise?
  [[nodiscard]] bool is_of(const Cell& cell, const CacheInstance& instance) const;

  // nullptr: it is not there any more.
  [[nodiscard]] const Cell* cell_in(const Directory& directory) const {
    return directory.find_cell(cell_);
  }

  // The server that requests of this slot go to now (all slots have the same one but in a cluster);
  // kUnavailable while it is not known.
  [[nodiscard]] Result<Endpoint> find(HashSlot slot) const;
  // Counts the changes of what find() gives.
  [[nodiscard]] uint64_t version() const { return version_; }

  // What has been found out.
  void set_primary(const Endpoint& primary);
  void set_slots(SlotMap slots);
  [[nodiscard]] const std::optional<Endpoint>& primary() const { return primary_; }
  [[nodiscard]] const SlotMap& slots() const { return slots_; }

  // A server cannot be reached, or says that it is not (any more) what it was taken for: whoever
  // watches should look again soon. Over with the next answer.
  void suspect() { suspected_ = true; }
  [[nodiscard]] bool suspected() const { return suspected_; }

  // Redis has refused a login: its users are not what provisioning made.
  void login_refused(const Endpoint& server, const std::string& problem);
  // The first refusal since the last call.
  std::optional<LoginRefusal> take_login_refusal() {
    return std::exchange(login_refusal_, std::nullopt);
  }

 private:
  std::string cell_;
  CacheInstance instance_;
  CacheBackend backend_;
  std::string name_;
  std::optional<Endpoint> primary_;  // of a Sentinel set
  SlotMap slots_;
  uint64_t version_ = 0;
  bool suspected_ = false;
  std::optional<LoginRefusal> login_refusal_;
};

}  // namespace partywall::cache
