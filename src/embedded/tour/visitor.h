#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/endpoint.h"
#include "fetch/client.h"
#include "fleet/provider.h"

namespace partywall::embedded {

// A tenant's user at the http door.
class Visitor {
 public:
  Visitor(Endpoint door, std::string token) : door_(std::move(door)), token_(std::move(token)) {}

  // The answer, or one of status 0 with the reason as its body.
  fetch::Response get(std::string_view path, const fetch::Headers& more_headers = {});
  // Names of the shop's products with their ids; nothing if the answer is not a list of products.
  std::optional<std::map<std::string, int64_t>> products(const fetch::Headers& more_headers = {});

 private:
  Endpoint door_;
  std::string token_;
  fetch::Client client_;
};

// Does the instance answer by itself, and is not only its process there?
bool answers_health_check(const fleet::ObservedInstance& instance);

// How many instances of the application the http door holds for healthy, by its metrics.
size_t count_healthy_instances(const Endpoint& admin);

// The token with another tenant in its claims and the signature that it had.
std::string with_claim_of(const std::string& token, std::string_view tenant,
                          std::string_view other_tenant);

}  // namespace partywall::embedded
