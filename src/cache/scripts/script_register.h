#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/crypto.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// Redis keeps every script for as long as it runs, for all users alike. So these bound what one
// tenant can make it keep, as counted since the door was started.
struct ScriptLimits {
  uint32_t max_scripts = 5'000;
  size_t max_bytes = 8UL << 20;
};

// Which scripts each tenant has loaded. Redis has one cache of scripts for everybody: without this
// a tenant would learn by SCRIPT EXISTS and EVALSHA what its neighbours run. Shared by all workers,
// from any thread. Another node, or a door that was started again, knows nothing of it: clients see
// NOSCRIPT, as after a restart of Redis, and load again.
class ScriptRegister {
 public:
  explicit ScriptRegister(ScriptLimits limits = {}) : limits_(limits) {}

  // What Redis calls a script that the tenant has loaded under this name, which is not the same:
  // Redis has got it with the prelude. Nothing: the tenant has not loaded it.
  [[nodiscard]] std::optional<Sha1Digest> find(TenantId tenant, const Sha1Digest& script) const;
  // The other way round.
  [[nodiscard]] std::optional<Sha1Digest> find_original(TenantId tenant,
                                                        const Sha1Digest& in_redis) const;
  // May the tenant make Redis keep one more script of that size? Known ones it keeps already.
  [[nodiscard]] bool has_room(TenantId tenant, size_t bytes) const;
  // Redis has taken it.
  void add(TenantId tenant, const Sha1Digest& script, const Sha1Digest& in_redis, size_t bytes);
  // SCRIPT FLUSH: unknown to the tenant from here on. Redis keeps them: they go on counting.
  void forget(TenantId tenant);

 private:
  // A digest is uniformly distributed: its first bytes are as good a hash as any.
  struct FirstBytes {
    size_t operator()(const Sha1Digest& digest) const;
  };
  using Names = std::unordered_map<Sha1Digest, Sha1Digest, FirstBytes>;
  struct Entry {
    Names known;           // Redis's, by the client's
    Names originals;       // the client's, by Redis's
    uint32_t scripts = 0;  // that Redis keeps
    size_t bytes = 0;
  };
  // Several, so that workers rarely wait for each other.
  struct Part {
    mutable std::mutex mutex;
    std::unordered_map<TenantId, Entry> tenants;
  };
  [[nodiscard]] std::optional<Sha1Digest> look_up(TenantId tenant, Names Entry::* names,
                                                  const Sha1Digest& name) const;
  [[nodiscard]] const Part& part_of(TenantId tenant) const {
    return parts_[std::hash<TenantId>()(tenant) % parts_.size()];
  }
  [[nodiscard]] Part& part_of(TenantId tenant) {
    return parts_[std::hash<TenantId>()(tenant) % parts_.size()];
  }

  ScriptLimits limits_;
  std::array<Part, 16> parts_;
};

// The digest in "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", in any case; nothing if it is none.
std::optional<Sha1Digest> parse_script_name(std::string_view text);

std::string script_name(const Sha1Digest& digest);

// What no script is called: SHA-1 of nothing that anybody knows.
inline constexpr std::string_view kNoScript = "0000000000000000000000000000000000000000";

}  // namespace partywall::cache
