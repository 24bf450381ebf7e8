#include "sql/client/transaction_scope.h"

namespace partywall::sql {

TransactionStatus TransactionScope::status() const {
  switch (phase_) {
    case Phase::kNone:
    case Phase::kOnServer:
      return TransactionStatus::kIdle;
    case Phase::kDeferred:
      return TransactionStatus::kInTransaction;
    case Phase::kFailed:
      return TransactionStatus::kFailed;
  }
  return TransactionStatus::kIdle;
}

void TransactionScope::begin(std::string_view statement) {
  phase_ = Phase::kDeferred;
  begin_ = statement;
}

void TransactionScope::end(bool committed) {
  if (committed && session_tenant_if_committed_ && phase_ != Phase::kFailed) {
    session_tenant_ = session_tenant_if_committed_->tenant;
  }
  session_tenant_if_committed_.reset();
  transaction_tenant_.reset();
  phase_ = Phase::kNone;
}

void TransactionScope::chain(bool committed) {
  end(committed);
  phase_ = Phase::kDeferred;
}

TransactionScope::Refusal TransactionScope::set_tenant(std::optional<TenantId> tenant,
                                                       SettingScope scope) {
  if (is_fixed_) return tenant == session_tenant_ ? Refusal::kNone : Refusal::kTenantIsFixed;
  if (phase_ != Phase::kNone) return set_in_transaction(tenant, scope);
  // Outside a transaction SET LOCAL changes nothing.
  if (scope == SettingScope::kSession) session_tenant_ = tenant;
  return Refusal::kNone;
}

TransactionScope::Refusal TransactionScope::set_tenant_for_query(std::optional<TenantId> tenant,
                                                                 SettingScope scope) {
  if (is_fixed_ || phase_ != Phase::kNone) return set_tenant(tenant, scope);
  return set_in_transaction(tenant, scope);
}

TransactionScope::Refusal TransactionScope::set_in_transaction(std::optional<TenantId> tenant,
                                                               SettingScope scope) {
  const bool decided = transaction_tenant_.has_value() || phase_ == Phase::kOnServer;
  if (decided && tenant != this->tenant()) return Refusal::kOtherTenantInTransaction;
  transaction_tenant_ = Choice{tenant};
  if (scope == SettingScope::kSession) session_tenant_if_committed_ = Choice{tenant};
  return Refusal::kNone;
}

void TransactionScope::reset_session() {
  session_tenant_ = first_tenant_;
  session_tenant_if_committed_.reset();
}

void TransactionScope::lost_server(TransactionStatus last) {
  phase_ = last == TransactionStatus::kIdle ? Phase::kNone : Phase::kFailed;
  session_tenant_if_committed_.reset();
  if (phase_ == Phase::kNone) transaction_tenant_.reset();
}

}  // namespace partywall::sql
