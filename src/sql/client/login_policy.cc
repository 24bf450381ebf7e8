#include "sql/client/login_policy.h"

#include <algorithm>

#include "base/ascii.h"
#include "identity/context_token.h"
#include "sql/client/directory_tenant_resolver.h"
#include "sql/door_errors.h"

namespace partywall::sql {
namespace {

// Makes the door ask for a token where it would ask for a password: options=-c partywall.auth=token
constexpr std::string_view kAuthSetting = "partywall.auth";

using NamedValues = std::vector<std::pair<std::string, std::string>>;

std::expected<NamedValues, SqlError> requested_settings(const StartupRequest& request) {
  NamedValues settings;
  for (const auto& [name, value] : request.parameters) {
    if (name == "options") {
      auto options = parse_startup_options(value);
      if (!options) return std::unexpected(errors::startup_parameter_refused(options.error()));
      settings.insert(settings.end(), options->begin(), options->end());
    } else {
      settings.emplace_back(name, value);
    }
  }
  return settings;
}

bool asks_for_token(const StartupRequest& request) {
  const auto settings = requested_settings(request);
  return settings && std::ranges::any_of(*settings, [](const auto& setting) {
           return setting.first == kAuthSetting && setting.second == "token";
         });
}

// A password in clear text may only travel where nobody can listen.
bool is_private(const net::Peer& peer) { return peer.encrypted || peer.endpoint.is_unix(); }

const Tenant* tenant_named(const StartupRequest& request, const LoginAuthority& authority) {
  return authority.directory->find_tenant_by_slug(request.user);
}

// The same salt for the same name, so that asking twice does not tell what exists.
ScramVerifier mock_verifier(std::string_view user, const LoginAuthority& authority) {
  std::string key = "partywall sql door";
  for (const ContextKey& context_key : authority.directory->context_keys())
    key += context_key.key.reveal();
  return make_mock_scram_verifier(user, Secret(std::move(key)));
}

std::expected<TenantId, SqlError> carried_tenant(std::string_view value, const Admission& admission,
                                                 const LoginAuthority& authority) {
  DirectoryTenantResolver resolver([&authority] { return authority; }, admission.login_class,
                                   admission.cell);
  auto tenant = resolver.resolve(value);
  if (tenant && admission.tenant && *tenant != *admission.tenant)
    return std::unexpected(errors::tenant_is_fixed());
  return tenant;
}

std::expected<void, SqlError> take_settings(const NamedValues& requested,
                                            const LoginAuthority& authority, Admission& admission) {
  for (const auto& [name, value] : requested) {
    if (equal_ignoring_case(name, kTenantSetting)) {
      auto tenant = carried_tenant(value, admission, authority);
      if (!tenant) return std::unexpected(tenant.error());
      admission.session_tenant = *tenant;
      continue;
    }
    if (name == kAuthSetting) continue;
    const TrackedSetting* tracked = find_tracked_setting(name);
    if (!tracked) return std::unexpected(errors::startup_parameter_refused(name));
    const bool is_encoding = tracked->name == "client_encoding";
    const std::string plain = is_encoding ? canonical_encoding(value) : value;
    if (!is_plain_value(plain)) return std::unexpected(errors::startup_value_refused(name));
    admission.settings = with_setting(admission.settings, tracked->name, plain);
  }
  return {};
}

std::expected<const Tenant*, SqlError> served_tenant(TenantId id, const LoginAuthority& authority) {
  const Tenant* tenant = authority.directory->find_tenant(id);
  if (!tenant) return std::unexpected(errors::unknown_tenant());
  if (!is_served(tenant->status)) return std::unexpected(errors::tenant_not_served(tenant->slug));
  return tenant;
}

bool may_come_from(std::span<const AddressBlock> addresses, const net::Peer& peer) {
  if (!peer.certificate_subject.empty()) return true;
  return std::ranges::any_of(addresses, [&peer](const AddressBlock& block) {
    return block.contains(peer.endpoint.address);
  });
}

// nullptr: an operator's console is not what the client asks for.
const ConsoleLogin* find_console_login(const StartupRequest& request,
                                       const LoginAuthority& authority) {
  if (request.database != kConsoleDatabase) return nullptr;
  const auto found = std::ranges::find(authority.console, request.user, &ConsoleLogin::user);
  return found == authority.console.end() ? nullptr : &*found;
}

std::expected<void, SqlError> check_login(const SqlLogin& login, const StartupRequest& request,
                                          const net::Peer& peer) {
  if (!login.database.empty() && login.database != request.database) {
    return std::unexpected(errors::unknown_database(request.database));
  }
  const bool must_be_listed =
      login.login_class == LoginClass::kAsserting || !login.addresses.empty();
  if (must_be_listed && !may_come_from(login.addresses, peer))
    return std::unexpected(errors::address_refused(request.user));
  return {};
}

}  // namespace

std::expected<ProofDemand, SqlError> demand_proof(const StartupRequest& request,
                                                  const net::Peer& peer,
                                                  const LoginAuthority& authority) {
  if (const ConsoleLogin* console = find_console_login(request, authority)) {
    auto verifier = ScramVerifier::parse(console->verifier);
    if (!verifier) return std::unexpected(errors::login_failed(request.user));
    return ProofDemand{ProofMethod::kScram, std::move(*verifier)};
  }
  const SqlLogin* login = authority.directory->find_sql_login(request.user);
  const bool has_password = login && !login->verifier.empty();
  if (has_password && !asks_for_token(request)) {
    auto verifier = ScramVerifier::parse(login->verifier);
    if (!verifier) return std::unexpected(errors::login_failed(request.user));
    return ProofDemand{ProofMethod::kScram, std::move(*verifier)};
  }
  const bool may_use_token =
      is_private(peer) && (asks_for_token(request) || login || tenant_named(request, authority));
  if (may_use_token) return ProofDemand{ProofMethod::kToken, {}};
  return ProofDemand{ProofMethod::kScram, mock_verifier(request.user, authority)};
}

std::expected<TenantId, SqlError> tenant_of_token(std::string_view token,
                                                  const LoginAuthority& authority) {
  if (token.starts_with(kContextPrefix)) {
    const auto context =
        verify_context(token, authority.directory->context_keys(), Audience::kSql, authority.now);
    if (!context) return std::unexpected(errors::bad_token(context.error().message));
    return context->tenant;
  }
  if (!authority.jwt)
    return std::unexpected(errors::bad_token("no issuer of tokens is trusted here"));
  const auto jwt = authority.jwt->verify(token, authority.now);
  if (!jwt) return std::unexpected(errors::bad_token(jwt.error().message));
  const Tenant* tenant = authority.directory->find_tenant_by_name(jwt->tenant);
  if (!tenant) return std::unexpected(errors::unknown_tenant());
  return tenant->id;
}

std::expected<Admission, SqlError> admit(const StartupRequest& request, const net::Peer& peer,
                                         std::optional<std::string_view> token,
                                         const LoginAuthority& authority) {
  Admission admission{.user = request.user};
  if (const ConsoleLogin* console = find_console_login(request, authority)) {
    if (!peer.endpoint.is_unix() && !may_come_from(console->addresses, peer))
      return std::unexpected(errors::address_refused(request.user));
    admission.console = console->rights;
    return admission;
  }
  const SqlLogin* login = authority.directory->find_sql_login(request.user);
  if (login) {
    if (auto checked = check_login(*login, request, peer); !checked)
      return std::unexpected(checked.error());
    admission.login_class = login->login_class;
    admission.cell = login->cell;
    admission.tenant = login->tenant;
  } else if (const Tenant* named = tenant_named(request, authority); named && token) {
    admission.tenant = named->id;
  } else {
    return std::unexpected(errors::login_failed(request.user));
  }
  if (token) {
    const auto proven = tenant_of_token(*token, authority);
    if (!proven) return std::unexpected(proven.error());
    if (admission.tenant != *proven) return std::unexpected(errors::login_failed(request.user));
  }
  if (admission.tenant) {
    const auto tenant = served_tenant(*admission.tenant, authority);
    if (!tenant) return std::unexpected(tenant.error());
    admission.cell = (*tenant)->cell;
  }
  if (!authority.directory->find_cell(admission.cell))
    return std::unexpected(errors::login_failed(request.user));
  const auto settings = requested_settings(request);
  if (!settings) return std::unexpected(settings.error());
  if (auto taken = take_settings(*settings, authority, admission); !taken)
    return std::unexpected(taken.error());
  return admission;
}

}  // namespace partywall::sql
