#pragma once

#include <memory>

#include "cache/prefix/keyspace_job.h"
#include "cache/tenant_upstreams.h"

namespace partywall::cache {

// A session's command about all keys of its tenant, under way.
struct KeyspaceWork {
  std::unique_ptr<KeyspaceJob> job;
  std::shared_ptr<TenantUpstreams> tenant;
  std::shared_ptr<TenantUpstreams> keyspace;  // the same tenant's, as the user that may SCAN
  std::shared_ptr<TenantUpstreams> index;     // as the user that keeps the index
  bool removes = false;                       // it is a FLUSHDB
  enum class Answer : uint8_t { kOfTheJob, kInfo } answer = Answer::kOfTheJob;
};

}  // namespace partywall::cache
