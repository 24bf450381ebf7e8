#include "admin/api/control_api.h"

#include <algorithm>

#include "admin/api/openapi.h"
#include "base/log.h"

namespace partywall::admin {
namespace {

constexpr size_t kMostReasonBytes = 500;

bool is_plain(std::string_view text, size_t most_bytes) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  return text.size() <= most_bytes && std::ranges::none_of(text, is_control);
}

// A page of another origin has no business here: it could only act for whoever looks at it.
ApiResult<> check_origin(const Request& request) {
  const auto origin = request.header("Origin");
  if (!origin) return {};
  const std::string_view host = request.header("Host").value_or("");
  if (!host.empty() &&
      (*origin == fmt::format("http://{}", host) || *origin == fmt::format("https://{}", host))) {
    return {};
  }
  return refuse(forbidden("Calls from pages of other origins are not taken."));
}

ApiError unreachable_store() {
  return Error{ErrorKind::kUnavailable, "The control store cannot be reached."};
}

ApiError role_is_missing(const ApiEndpoint& endpoint, const Principal& principal) {
  return forbidden(fmt::format("This needs the role {}, yours is {}.",
                               to_string(endpoint.access.least), to_string(principal.role)));
}

std::string request_id_of(const Request& request, Random& random) {
  const std::string_view given = request.header("X-Request-Id").value_or("");
  const auto is_plain_id = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  };
  if (!given.empty() && given.size() <= 64 && std::ranges::all_of(given, is_plain_id))
    return std::string(given);
  return Uuid::random(random).to_string();
}

}  // namespace

ControlApi::ControlApi(ApiSettings settings, std::unique_ptr<Authenticator> authenticator,
                       const TimeSource& time, Random& random)
    : settings_(std::move(settings)),
      authenticator_(std::move(authenticator)),
      time_(time),
      random_(random),
      stores_(settings_.store, random) {}

Result<std::unique_ptr<ControlApi>> ControlApi::create(ApiSettings settings, const TimeSource& time,
                                                       Random& random) {
  auto authenticator = Authenticator::create(settings, time);
  if (!authenticator) return std::unexpected(authenticator.error());
  return std::unique_ptr<ControlApi>(
      new ControlApi(std::move(settings), *std::move(authenticator), time, random));
}

void ControlApi::add_to(Router& router) {
  for (const ApiEndpoint& endpoint : all_endpoints()) {
    router.add(
        {.method = std::string(endpoint.method),
         .pattern = std::string(endpoint.pattern),
         .handler = [this, &endpoint](const Request& request) { return handle(endpoint, request); },
         .run_on = RunOn::kHandlerThreads,
         .max_body_bytes = endpoint.max_body_bytes,
         .admit = admission_of(endpoint)});
  }
  router.add("GET", "/v1/openapi.json", [](const Request&) {
    static const std::string kDocument = openapi_document(all_endpoints());
    return Response{.body = kDocument};
  });
}

std::function<std::optional<Response>(const Request&)> ControlApi::admission_of(
    const ApiEndpoint& endpoint) {
  if (endpoint.max_body_bytes <= kUsualBodyBytes) return {};
  return [this, &endpoint](const Request& request) { return refuse_caller(endpoint, request); };
}

std::optional<Response> ControlApi::refuse_caller(const ApiEndpoint& endpoint,
                                                  const Request& request) {
  const auto store = stores_.take();
  auto session = store->session();
  if (!session) return to_response(unreachable_store());
  const auto principal = authenticator_->authenticate(request, *session);
  if (!principal) {
    log_info("admin call refused before its body", {{"path", request.path},
                                                    {"status", principal.error().status},
                                                    {"address", request.peer.endpoint.address}});
    return to_response(principal.error());
  }
  if (may_call(*principal, endpoint.access)) return std::nullopt;
  return to_response(role_is_missing(endpoint, *principal));
}

// Every call leaves a line, whatever came of it; what it changed is in the audit outbox too.
Response ControlApi::handle(const ApiEndpoint& endpoint, const Request& request) {
  store::Author author{.actor = "nobody",
                       .reason = std::string(request.header("X-Audit-Reason").value_or("")),
                       .request_id = request_id_of(request, random_),
                       .address = request.peer.endpoint.address};
  Principal principal;
  ApiResult<Response> result = run(endpoint, request, author, principal);
  Response response = result ? *std::move(result) : to_response(result.error());
  response.headers.emplace_back("X-Request-Id", author.request_id);
  log_info("admin call", {{"actor", author.actor},
                          {"role", principal.id.empty() ? "" : to_string(principal.role)},
                          {"method", request.method},
                          {"path", request.path},
                          {"status", response.status},
                          {"reason", author.reason},
                          {"request_id", author.request_id},
                          {"address", author.address}});
  return response;
}

ApiResult<Response> ControlApi::run(const ApiEndpoint& endpoint, const Request& request,
                                    store::Author& author, Principal& principal) {
  if (!is_plain(author.reason, kMostReasonBytes)) {
    author.reason.clear();
    return refuse(invalid_body("X-Audit-Reason must be at most 500 bytes of plain text"));
  }
  if (auto same_origin = check_origin(request); !same_origin) return refuse(same_origin.error());
  const auto store = stores_.take();
  auto session = store->session();
  if (!session) {
    log_error("admin API: the control store does not answer", {{"error", session.error().message}});
    return refuse(unreachable_store());
  }
  auto authenticated = authenticator_->authenticate(request, *session);
  if (!authenticated) return refuse(authenticated.error());
  principal = *std::move(authenticated);
  author.actor = principal.name;
  if (!may_call(principal, endpoint.access)) {
    return refuse(role_is_missing(endpoint, principal));
  }
  auto query = Query::parse(request.query, endpoint.query);
  if (!query) return refuse(query.error());
  const Call call{.request = request,
                  .query = *query,
                  .principal = principal,
                  .store = *store,
                  .stores = stores_,
                  .author = author,
                  .settings = settings_,
                  .time = time_,
                  .random = random_};
  // Once more in front of the handler, so that none can forget it.
  if (principal.role == Role::kTenantAdmin &&
      endpoint.access.tenant_admins == TenantAdmins::kOwnTenant) {
    if (auto own = tenant_of_path(call, *session); !own) return refuse(own.error());
  }
  return endpoint.handler(call);
}

}  // namespace partywall::admin
