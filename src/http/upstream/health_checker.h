#pragma once

#include <map>
#include <memory>

#include "http/upstream/instance_health.h"
#include "net/loop.h"
#include "net/scope.h"
#include "tenancy/directory.h"

namespace partywall::http {

// Asks each instance of each pool for its health path, on one worker for the whole process. Any
// answer of 200 to 399 is a success. Until an instance has been judged once it is asked eight times
// as often, so that a new one is not idle for `rise` whole intervals.
class HealthChecker {
 public:
  HealthChecker(net::Loop& loop, HealthRegistry& registry);
  ~HealthChecker();  // after stop()
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  // Checks the instances of this directory from now on, and no others.
  void update(const Directory& directory);
  // Ends when no check is under way any more.
  net::Task<> stop();

 private:
  struct Target;

  void stop_target(Target& target);
  net::Task<> watch(std::shared_ptr<Target> target);
  net::Task<bool> check(Target& target);

  net::Loop& loop_;
  HealthRegistry& registry_;
  net::TaskScope checks_;
  std::map<InstanceKey, std::shared_ptr<Target>> targets_;
};

}  // namespace partywall::http
