#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "admin/api/api_error.h"
#include "admin/api/query.h"
#include "admin/api/role.h"
#include "admin/api/settings.h"
#include "admin/api/store_pool.h"
#include "admin/message.h"
#include "base/random.h"
#include "base/time.h"
#include "store/control/control_store.h"
#include "store/control/records.h"

namespace partywall::admin {

// One call of the admin API by somebody who may make it.
struct Call {
  const Request& request;
  const Query& query;
  const Principal& principal;
  store::ControlStore& store;
  StorePool& stores;  // for what goes on after the handler: streams
  const store::Author& author;
  const ApiSettings& settings;
  const TimeSource& time;
  Random& random;

  [[nodiscard]] const std::string& parameter(size_t index) const {
    return request.parameters[index];
  }
};

// What a handler answers with: the JSON text of a body. `replay` is what a repetition with the same
// Idempotency-Key gets instead, where the body has a secret that is shown once.
struct Answer {
  uint16_t status = 200;
  std::string body{};
  std::optional<std::string> replay{};
  std::optional<uint64_t> version{};  // the ETag
};

Response to_response(Answer answer);

// The tenant that the path names, by slug or id. Where the principal may not know of it: 404 as for
// one that is not there.
ApiResult<store::TenantRecord> tenant_of_path(const Call& call, store::Session& session);

// 428 without If-Match; 412 if it names another version; "*" fits any.
ApiResult<> check_if_match(const Call& call, uint64_t version);
// The same where If-Match may be left out.
ApiResult<> check_if_match_given(const Call& call, uint64_t version);

// Runs a handler that only reads.
template <class Work>
ApiResult<Answer> read(const Call& call, Work work) {
  auto session = call.store.session();
  if (!session) return refuse(session.error());
  return work(*session);
}

namespace detail {
using Work = std::function<ApiResult<Answer>(store::Change&)>;
ApiResult<Answer> change(const Call& call, const Work& work);
}  // namespace detail

// Runs a handler that changes something, in one transaction. With an Idempotency-Key it is done
// once: a repetition of the same request by the same principal gets the same answer, another
// request under that key 409.
template <class Work>
ApiResult<Answer> change(const Call& call, Work work) {
  return detail::change(call, work);
}

}  // namespace partywall::admin
