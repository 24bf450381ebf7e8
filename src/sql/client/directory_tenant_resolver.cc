#include "sql/client/directory_tenant_resolver.h"

#include "identity/context_token.h"
#include "sql/door_errors.h"

namespace partywall::sql {

std::expected<TenantId, SqlError> DirectoryTenantResolver::resolve(std::string_view value) {
  const LoginAuthority authority = authority_();
  const Tenant* tenant = nullptr;
  if (value.starts_with(kContextPrefix)) {
    const auto context =
        verify_context(value, authority.directory->context_keys(), Audience::kSql, authority.now);
    if (!context) {
      SqlError error = errors::bad_token(context.error().message);
      error.severity = Severity::kError;
      return std::unexpected(error);
    }
    tenant = authority.directory->find_tenant(context->tenant);
  } else if (login_class_ == LoginClass::kAsserting || login_class_ == LoginClass::kBound) {
    // A bound login may name its own tenant; that it is its own is checked where it counts.
    tenant = authority.directory->find_tenant_by_name(value);
  } else {
    return std::unexpected(errors::not_a_context());
  }
  SqlError refusal;
  if (!tenant) {
    refusal = errors::unknown_tenant();
  } else if (!is_served(tenant->status)) {
    refusal = errors::tenant_not_served(tenant->slug);
  } else if (tenant->cell != cell_) {
    refusal = errors::tenant_elsewhere(tenant->slug, cell_);
  } else {
    return tenant->id;
  }
  refusal.severity = Severity::kError;
  return std::unexpected(refusal);
}

}  // namespace partywall::sql
