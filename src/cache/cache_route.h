#pragma once

#include <string>

#include "base/endpoint.h"
#include "base/result.h"
#include "tenancy/cell.h"

namespace partywall::cache {

// Where one worker finds one cache instance of a cell, and how it logs in there. There is one
// object for all tenants of the instance; another one as soon as the directory says anything else.
class CacheRoute {
 public:
  CacheRoute(const Cell& cell, const CacheInstance& instance);

  [[nodiscard]] const CacheInstance& instance() const { return instance_; }
  [[nodiscard]] const CacheBackend& backend() const { return backend_; }
  // "cell shared, cache main", for messages.
  [[nodiscard]] const std::string& name() const { return name_; }

  // Would a new route for the instance lead elsewhere, or log in otherwise?
  [[nodiscard]] bool is_of(const Cell& cell, const CacheInstance& instance) const;

  // The server that requests go to now; kUnavailable while it is not known.
  [[nodiscard]] Result<Endpoint> find() const;

 private:
  std::string cell_;
  CacheInstance instance_;
  CacheBackend backend_;
  std::string name_;
};

}  // namespace partywall::cache
