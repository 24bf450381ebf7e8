#pragma once

#include <string>

#include "sql/client/login_policy.h"
#include "sql/client/tenant_resolver.h"

namespace partywall::sql {

// Resolves what a client carries (binding.md): a context token, or from logins that may assert a
// tenant its UUID or slug. The tenant must be served by the client's cell now.
class DirectoryTenantResolver final : public TenantResolver {
 public:
  // `authority` is asked each time; it must outlive the resolver.
  DirectoryTenantResolver(std::function<LoginAuthority()> authority, LoginClass login_class,
                          std::string cell)
      : authority_(std::move(authority)), login_class_(login_class), cell_(std::move(cell)) {}

  std::expected<TenantId, SqlError> resolve(std::string_view value) override;

 private:
  std::function<LoginAuthority()> authority_;
  LoginClass login_class_;
  std::string cell_;
};

}  // namespace partywall::sql
