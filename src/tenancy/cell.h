#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/secret.h"
#include "base/time.h"
#include "tenancy/cache_backend.h"

// A cell is one complete stack: application pools, a PostgreSQL database and caches, in one region.
namespace partywall {

// Active checks of an application instance.
struct HealthCheck {
  std::string path = "/healthz";
  Duration interval = seconds(2);
  Duration timeout = seconds(1);
  uint32_t rise = 3;  // successes in a row until up
  uint32_t fall = 2;  // failures in a row until down

  bool operator==(const HealthCheck&) const = default;
};

struct Instance {
  std::string id;  // unique within its pool
  Endpoint endpoint;
  uint32_t weight = 1;  // 0: it drains, and gets no new request

  bool operator==(const Instance&) const = default;
};

struct Pool {
  std::string name;
  HealthCheck health;
  std::vector<Instance> instances;
  bool is_provided = false;  // a provider fills in the instances, the platform file has none
};

// The server logins of the sql door: each server connection has a role of its own, so that no
// tenant sees or cancels the statements of another.
struct SlotRoles {
  std::string prefix = "partywall_slot_";  // role names are prefix + three digits, from 001
  uint32_t count = 20;                     // 1..999; also the most server connections of the door
  Secret password;
};

struct SqlBackend {
  Endpoint endpoint;
  std::string database;
  SlotRoles slots;
  Secret register_key;  // HMAC key of the tenant register, 64 bytes
  uint32_t register_key_id = 1;
  bool allow_temp = false;  // tenants may create temporary tables
  std::string owner_role;   // what a migration login becomes: owns the tables
  Secret owner_password;
  std::string provisioner_role;  // may change the slot roles; empty: the door cannot mend them
  Secret provisioner_password;
};

enum class CellKind { kShared, kDedicated };

struct Cell {
  std::string name;
  CellKind kind = CellKind::kShared;
  std::string region;
  SqlBackend sql;
  CacheBackend cache;
  std::vector<Pool> pools;

  [[nodiscard]] const Pool* find_pool(std::string_view pool_name) const;
};

}  // namespace partywall
