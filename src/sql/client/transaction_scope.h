#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/statement.h"
#include "sql/wire/message_writer.h"
#include "tenancy/tenant.h"

namespace partywall::sql {

// Which transaction a client is in, as it sees it, and for which tenant: the session's, or another
// for this transaction only (SET LOCAL). A transaction begins here, without a server connection:
// BEGIN is answered at once and reaches the server together with the first statement that needs
// one, because only then is it certain which tenant's connection that must be (binding.md, "the
// deferred BEGIN").
class TransactionScope {
 public:
  enum class Phase : uint8_t {
    kNone,      // outside a transaction
    kDeferred,  // begun for the client, not yet on a server
    kFailed,    // failed before it reached a server
    kOnServer,  // the server's ReadyForQuery says the rest
  };
  enum class Refusal : uint8_t {
    kNone,
    kOtherTenantInTransaction,  // 25001
    kTenantIsFixed,             // 42501: the login is bound to its tenant
  };

  // `tenant`: the session's from the start; `fixed`: nothing may change it.
  static TransactionScope bound_to(TenantId tenant) { return TransactionScope(tenant, true); }
  static TransactionScope open(std::optional<TenantId> tenant) {
    return TransactionScope(tenant, false);
  }

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] TransactionStatus status() const;
  // Of the next statement.
  [[nodiscard]] std::optional<TenantId> tenant() const {
    return transaction_tenant_ ? transaction_tenant_->tenant : session_tenant_;
  }
  // Would another tenant (or none) count after the transaction?
  [[nodiscard]] bool is_tenant_of_transaction_only() const {
    return transaction_tenant_ && transaction_tenant_->tenant != session_tenant_;
  }

  // --- What the client says while no server has the transaction.
  void begin(std::string_view statement);
  void end(bool committed);
  void chain(bool committed);  // AND CHAIN: ends, and begins with the same options
  void fail() {
    if (phase_ == Phase::kDeferred) phase_ = Phase::kFailed;
  }
  // nullopt: no tenant any more (RESET, or an empty value).
  Refusal set_tenant(std::optional<TenantId> tenant, SettingScope scope);
  // For the statements of one Query, outside a transaction.
  Refusal set_tenant_for_query(std::optional<TenantId> tenant, SettingScope scope);
  // RESET ALL and DISCARD ALL: as at the start.
  void reset_session();

  // --- A server connection has it now. The statement that begins it there; empty: none.
  [[nodiscard]] std::string_view deferred_begin() const {
    return phase_ == Phase::kDeferred ? std::string_view(begin_) : std::string_view();
  }
  void moved_to_server() { phase_ = Phase::kOnServer; }
  // The server connection is gone: nothing of it was passed to the client since the last
  // ReadyForQuery, whose status is given.
  void lost_server(TransactionStatus last);

 private:
  TransactionScope(std::optional<TenantId> tenant, bool fixed)
      : first_tenant_(tenant), session_tenant_(tenant), is_fixed_(fixed) {}
  Refusal set_in_transaction(std::optional<TenantId> tenant, SettingScope scope);

  std::optional<TenantId> first_tenant_;
  std::optional<TenantId> session_tenant_;
  struct Choice {
    std::optional<TenantId> tenant;  // nullopt: none was chosen deliberately
  };
  std::optional<Choice> transaction_tenant_;
  std::optional<Choice> session_tenant_if_committed_;
  std::string begin_;
  Phase phase_ = Phase::kNone;
  bool is_fixed_ = false;
};

}  // namespace partywall::sql
