#pragma once

#include <string>

#include "sql/client/login_policy.h"
#include "sql/client/tenant_resolver.h"

namespace partywall::sql {

// Resolves what a client carries (binding.md): a context token, or from logins that may assert a
// tenant its UUID or slug. The tenant must be served by the client's cell now.
class DirectoryTenantResolver final : public TenantResolver {
 public:
  using Objection = std::function<std::optional<SqlError>(TenantId)>;

  // `authority` and `objection` are asked each time; they must outlive the resolver.
  DirectoryTenantResolver(
      std::function<LoginAuthority()> authority, LoginClass login_class, std::string cell,
      Objection objection = [](TenantId) { return std::nullopt; })
      : authority_(std::move(authority)),
        login_class_(login_class),
        cell_(std::move(cell)),
        objection_(std::move(objection)) {}

  std::expected<TenantId, SqlError> resolve(std::string_view value) override;
  std::optional<SqlError> objection(TenantId tenant) override { return objection_(tenant); }

 private:
  std::function<LoginAuthority()> authority_;
  LoginClass login_class_;
  std::string cell_;
  Objection objection_;
};

}  // namespace partywall::sql
