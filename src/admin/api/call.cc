#include "admin/api/call.h"

#include "base/crypto.h"
#include "base/hex.h"
#include "base/text.h"
#include "store/control/idempotency.h"
#include "store/control/tenants.h"

namespace partywall::admin {
namespace {

constexpr size_t kMostKeyBytes = 128;

ApiResult<std::optional<std::string>> idempotency_key(const Request& request) {
  const auto header = request.header("Idempotency-Key");
  if (!header) return std::nullopt;
  const auto is_visible = [](char c) { return c > 0x20 && c < 0x7F; };
  if (header->empty() || header->size() > kMostKeyBytes ||
      !std::ranges::all_of(*header, is_visible)) {
    return refuse(invalid_body("Idempotency-Key must be 1 to 128 visible ASCII characters"));
  }
  return std::string(*header);
}

// What the same request is: the key must not be reused for another one.
std::string digest_of(const Request& request) {
  const std::string whole =
      fmt::format("{} {}?{}\n{}\n{}", request.method, request.raw_path, request.query,
                  request.header("If-Match").value_or(""), request.body);
  return to_hex(as_bytes(sha256(whole)));
}

ApiResult<> check_version(std::string_view wanted, uint64_t version) {
  if (wanted == "*") return {};
  if (wanted == fmt::format("\"{}\"", version)) return {};
  return refuse(precondition_failed(
      fmt::format("It is at version {} now; read it again and decide anew.", version)));
}

}  // namespace

Response to_response(Answer answer) {
  Response response{.status = answer.status, .body = std::move(answer.body)};
  if (!response.body.empty()) response.body += '\n';
  if (answer.version) response.headers.emplace_back("ETag", fmt::format("\"{}\"", *answer.version));
  return response;
}

ApiResult<store::TenantRecord> tenant_of_path(const Call& call, store::Session& session) {
  const std::string& name = call.parameter(0);
  auto tenant = store::find_tenant(session, name);
  if (tenant && is_visible(call.principal, tenant->id)) return *std::move(tenant);
  if (!tenant && tenant.error().kind != ErrorKind::kNotFound) return refuse(tenant.error());
  return refuse({404, "not-found", "Not found", fmt::format("There is no tenant '{}'.", name)});
}

ApiResult<> check_if_match(const Call& call, uint64_t version) {
  const auto wanted = call.request.header("If-Match");
  if (!wanted) return refuse(precondition_required());
  return check_version(*wanted, version);
}

ApiResult<> check_if_match_given(const Call& call, uint64_t version) {
  const auto wanted = call.request.header("If-Match");
  return wanted ? check_version(*wanted, version) : ApiResult<>();
}

namespace detail {

ApiResult<Answer> change(const Call& call, const Work& work) {
  const auto key = idempotency_key(call.request);
  if (!key) return refuse(key.error());
  const std::string digest = *key ? digest_of(call.request) : "";
  std::optional<ApiError> refused;
  auto done = call.store.change(call.author, [&](store::Change& change) -> Result<Answer> {
    refused.reset();
    if (*key) {
      auto before = store::find_answer(change, call.principal.id, **key, digest);
      if (!before) return std::unexpected(before.error());
      if (*before) {
        return Answer{.status = static_cast<uint16_t>((*before)->status),
                      .body = std::move((*before)->body)};
      }
    }
    ApiResult<Answer> answer = work(change);
    if (!answer) {
      refused = answer.error();
      return std::unexpected(Error(answer.error()));
    }
    if (*key) {
      const auto saved = store::save_answer(
          change, call.principal.id, **key, digest,
          {.status = answer->status, .body = answer->replay.value_or(answer->body)});
      if (!saved) return std::unexpected(saved.error());
    }
    return *std::move(answer);
  });
  if (done) return *std::move(done);
  return refuse(refused ? *refused : ApiError(done.error()));
}

}  // namespace detail
}  // namespace partywall::admin
