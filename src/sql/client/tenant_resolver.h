#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "sql/wire/sql_error.h"
#include "tenancy/tenant.h"

namespace partywall::sql {

// Says which tenant a client means by the value it sets app.current_tenant to, and whether it may.
class TenantResolver {
 public:
  virtual ~TenantResolver() = default;
  virtual std::expected<TenantId, SqlError> resolve(std::string_view value) = 0;
  // Why the tenant may not begin a transaction now, on a server connection that the client has kept
  // since its last one: whoever gets one from the pool is asked there.
  virtual std::optional<SqlError> objection(TenantId tenant) = 0;
};

}  // namespace partywall::sql
