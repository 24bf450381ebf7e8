#pragma once

#include <memory>

#include "admin/api/authenticator.h"
#include "admin/api/endpoint.h"
#include "admin/api/settings.h"
#include "admin/api/store_pool.h"
#include "admin/router.h"
#include "base/random.h"

namespace partywall::admin {

// The admin API under /v1: who calls, whether they may, what they did and why.
class ControlApi {
 public:
  // `time` and `random` outlive the API; `random` is used by several threads.
  static Result<std::unique_ptr<ControlApi>> create(ApiSettings settings, const TimeSource& time,
                                                    Random& random);

  // All endpoints, and /v1/openapi.json. The API must outlive the router's last request.
  void add_to(Router& router);

 private:
  ControlApi(ApiSettings settings, std::unique_ptr<Authenticator> authenticator,
             const TimeSource& time, Random& random);
  std::function<std::optional<Response>(const Request&)> admission_of(const ApiEndpoint& endpoint);
  Response handle(const ApiEndpoint& endpoint, const Request& request);
  // Would the caller be let in? Nothing is done, and nothing is logged but a refusal.
  std::optional<Response> refuse_caller(const ApiEndpoint& endpoint, const Request& request);
  ApiResult<Response> run(const ApiEndpoint& endpoint, const Request& request,
                          store::Author& author, Principal& principal);

  const ApiSettings settings_;
  std::unique_ptr<Authenticator> authenticator_;
  const TimeSource& time_;
  Random& random_;
  StorePool stores_;
};

}  // namespace partywall::admin
