#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/secret.h"
#include "base/tls_settings.h"

namespace partywall {

enum class CacheTopology {
  kSingle,    // one server
  kSentinel,  // a primary and its replicas; Sentinels say which is the primary now
  kCluster,   // Redis Cluster: each hash slot has a node, which may change
};

// One Redis: what a tenant's keys are in.
struct CacheInstance {
  std::string name;  // unique within the cell
  CacheTopology topology = CacheTopology::kSingle;
  // The server; the Sentinels; or nodes of the cluster that are asked for the others.
  std::vector<Endpoint> endpoints;
  std::string primary_name;  // what the Sentinels know it by

  bool operator==(const CacheInstance&) const = default;
};

// Functions that the operator has loaded into a Redis (FUNCTION LOAD), for its tenants to call.
struct CacheFunctionLibrary {
  std::string name;
  std::vector<std::string> functions;

  bool operator==(const CacheFunctionLibrary&) const = default;
};

// How tenants are told apart in a Redis.
enum class CacheMode {
  kDatabase,  // each has a logical database
  kPrefix,    // their keys have prefixes
};

// The caches of a cell. Several instances because one Redis holds about a thousand tenants in
// logical databases of their own; each tenant is in one of them. They share logins.
struct CacheBackend {
  std::vector<CacheInstance> instances;  // none: the cell has no cache
  CacheMode mode = CacheMode::kDatabase;
  std::optional<TlsClientSettings> tls;  // to the servers and the Sentinels
  std::string door_user;                 // may authenticate, select a database, and nothing else
  Secret door_password;
  Secret tenant_password;  // key from which each tenant user's password is derived
  // Provisioning makes Redis accept these too, while nodes go over to the ones above; empty: none.
  Secret previous_door_password;
  Secret previous_tenant_password;
  std::string sentinel_user;  // of the Sentinels; empty with a password: their default user
  Secret sentinel_password;   // empty: the Sentinels want no login
  // Given, the door itself restores the users of a Redis that has lost them; empty: it only says
  // so.
  std::string administrator;
  Secret administrator_password;
  bool keyspace_events = false;  // Redis tells subscribers what happens to keys
  std::vector<CacheFunctionLibrary> functions;

  [[nodiscard]] bool present() const { return !instances.empty(); }
  // nullptr: there is no such instance. The empty name means the first one.
  [[nodiscard]] const CacheInstance* find_instance(std::string_view name) const;
};

}  // namespace partywall
