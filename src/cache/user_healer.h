#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/backoff.h"
#include "cache/cache_route.h"
#include "tenancy/directory.h"

namespace partywall::cache {

// What the door does about a Redis that refuses its logins, because its users are gone (it was
// restarted without an ACL file, say): it says so, and provisions that Redis again if it was given
// an administrator for it. On a thread of its own: provisioning blocks.
class UserHealer {
 public:
  using Provision = std::function<Result<>(const CacheBackend&, const CacheInstance&,
                                           const std::vector<Tenant>&)>;

  // `provision`: what is done; tests have their own.
  UserHealer(const TimeSource& time, Provision provision);
  ~UserHealer();
  UserHealer(const UserHealer&) = delete;
  UserHealer& operator=(const UserHealer&) = delete;

  // From any thread: workers say what they have met. Of one route at most once every few seconds,
  // later each time that it does not help.
  void login_refused(const CacheRoute& route, const LoginRefusal& refusal,
                     const DirectoryRef& directory);
  // Waits until nothing is under way, for tests.
  void wait_until_idle_for_test();

 private:
  struct Work {
    Cell cell;
    CacheInstance instance;
    std::vector<Tenant> tenants;
    std::string route;
  };
  struct History {
    Backoff backoff{BackoffSettings{.first = seconds(1), .longest = minutes(5)}};
    MonotonicTime last{};
  };

  void run(const std::stop_token& stop);
  void heal(const Work& work);

  const TimeSource& time_;
  Provision provision_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, History> histories_;  // by route
  std::vector<Work> waiting_;
  bool busy_ = false;
  std::jthread thread_;  // last, so that it ends first
};

// All tenants whose keys are in the instance, whatever cell they are in: several cells may share
// it.
std::vector<Tenant> tenants_in(const Directory& directory, const CacheInstance& instance);

}  // namespace partywall::cache
