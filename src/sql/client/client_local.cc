// The statements that the door executes itself: transactions that no server has yet, the tenant,
// and what only concerns the client's own prepared statements.
#include "base/ascii.h"
#include "sql/boolean.h"
#include "sql/client/client_fsm.h"
#include "sql/door_errors.h"

namespace partywall::sql {
namespace {

using Phase = TransactionScope::Phase;

// The value given, or that of the parameter.
std::optional<std::string> resolve(const std::variant<std::string, ParameterNumber>& given,
                                   const std::vector<std::optional<std::string>>& values) {
  if (const auto* text = std::get_if<std::string>(&given)) return *text;
  const size_t number = std::get<ParameterNumber>(given).number;
  return number >= 1 && number <= values.size() ? values[number - 1] : std::nullopt;
}

// nullopt: not a boolean. NULL is false, as in PostgreSQL.
std::optional<SettingScope> resolve_scope(const TenantSetting& setting,
                                          const std::vector<std::optional<std::string>>& values) {
  if (const auto* scope = std::get_if<SettingScope>(&setting.scope)) return *scope;
  const size_t number = std::get<ParameterNumber>(setting.scope).number;
  if (number < 1 || number > values.size()) return std::nullopt;
  if (!values[number - 1]) return SettingScope::kSession;
  const auto is_local = parse_boolean(*values[number - 1]);
  if (!is_local) return std::nullopt;
  return *is_local ? SettingScope::kTransaction : SettingScope::kSession;
}

}  // namespace

bool ClientFsm::is_local(const Statement& statement) const {
  if (is_sent_) return false;
  const bool is_on_server = scope_.phase() == Phase::kOnServer;
  switch (statement.kind) {
    case StatementKind::kEmpty:
    case StatementKind::kBegin:
    case StatementKind::kCommit:
    case StatementKind::kCommitAndChain:
    case StatementKind::kRollback:
    case StatementKind::kRollbackAndChain:
      return !is_on_server;
    case StatementKind::kSavepoint:
    case StatementKind::kRelease:
    case StatementKind::kRollbackTo:
      return !is_on_server && scope_.phase() != Phase::kDeferred;
    case StatementKind::kSetTenant:
    case StatementKind::kSelectSetConfig:
    case StatementKind::kResetTenant:
      return status() != TransactionStatus::kFailed || !is_on_server;
    case StatementKind::kDeallocate:
      if (status() == TransactionStatus::kFailed && is_on_server) return false;
      return statement.name.empty() ? !is_pinned_ : named_.contains(statement.name);
    case StatementKind::kDiscardAll:
      return !server_ && scope_.phase() == Phase::kNone &&
             same_settings(settings_, first_settings_);
    default:
      return false;
  }
}

bool ClientFsm::names_tenant_setting(const TenantSetting& setting, const Values& values) {
  const auto name = resolve(setting.name, values);
  return name && equal_ignoring_case(*name, kTenantSetting);
}

LocalReply ClientFsm::perform(const Statement& statement, const Values& values, Extent extent) {
  switch (statement.kind) {
    case StatementKind::kCommit:
    case StatementKind::kRollback:
      return perform_end(statement);
    case StatementKind::kCommitAndChain:
    case StatementKind::kRollbackAndChain:
      return perform_chain(statement);
    case StatementKind::kEmpty:
      return {};
    default:
      break;
  }
  if (scope_.phase() == Phase::kFailed) {
    if (statement.kind == StatementKind::kRollbackTo)
      return LocalReply::failed(errors::invalid_savepoint());
    return LocalReply::failed(errors::in_failed_transaction());
  }
  switch (statement.kind) {
    case StatementKind::kBegin:
      return perform_begin(statement);
    case StatementKind::kSavepoint:
      return LocalReply::failed(errors::only_in_transaction("SAVEPOINT"));
    case StatementKind::kRelease:
      return LocalReply::failed(errors::only_in_transaction("RELEASE SAVEPOINT"));
    case StatementKind::kRollbackTo:
      return LocalReply::failed(errors::only_in_transaction("ROLLBACK TO SAVEPOINT"));
    case StatementKind::kDeallocate:
      return perform_deallocate(statement);
    case StatementKind::kDiscardAll:
      discard_all();
      return LocalReply::done("DISCARD ALL");
    default:
      return perform_set_tenant(statement, values, extent);
  }
}

LocalReply ClientFsm::perform_begin(const Statement& statement) {
  const bool is_start = statement.text.starts_with('s') || statement.text.starts_with('S');
  LocalReply reply = LocalReply::done(is_start ? "START TRANSACTION" : "BEGIN");
  if (scope_.phase() == Phase::kDeferred) {
    reply.warning = errors::already_in_transaction();
  } else {
    scope_.begin(statement.text);
  }
  return reply;
}

LocalReply ClientFsm::perform_end(const Statement& statement) {
  const bool commits = statement.kind == StatementKind::kCommit && scope_.phase() != Phase::kFailed;
  LocalReply reply = LocalReply::done(commits ? "COMMIT" : "ROLLBACK");
  if (scope_.phase() == Phase::kNone) reply.warning = errors::no_transaction();
  scope_.end(commits);
  return reply;
}

LocalReply ClientFsm::perform_chain(const Statement& statement) {
  const bool is_commit = statement.kind == StatementKind::kCommitAndChain;
  if (scope_.phase() == Phase::kNone) {
    return LocalReply::failed(errors::chain_outside_transaction(is_commit ? "COMMIT" : "ROLLBACK"));
  }
  const bool commits = is_commit && scope_.phase() != Phase::kFailed;
  scope_.chain(commits);
  return LocalReply::done(commits ? "COMMIT" : "ROLLBACK");
}

LocalReply ClientFsm::perform_set_tenant(const Statement& statement, const Values& values,
                                         Extent extent) {
  if (statement.kind == StatementKind::kUnclearTenantSetting)
    return LocalReply::failed(errors::unclear_tenant_setting());
  LocalReply reply =
      LocalReply::done(statement.kind == StatementKind::kSetTenant ? "SET" : "RESET");
  std::optional<std::string> value;
  SettingScope scope = statement.scope;
  if (statement.setting) {
    value = resolve(statement.setting->value, values);
    const auto resolved = resolve_scope(*statement.setting, values);
    if (!resolved) return LocalReply::failed(errors::not_a_boolean());
    scope = *resolved;
  }
  if (statement.kind == StatementKind::kSelectSetConfig) {
    reply.tag = "SELECT 1";
    reply.row = {statement.setting->column, value.value_or("")};
  }
  std::optional<TenantId> tenant;  // none: RESET, or an empty value
  if (value && !value->empty()) {
    auto resolved = tenants_.resolve(*value);
    if (!resolved) return LocalReply::failed(resolved.error());
    tenant = *resolved;
  }
  const bool is_in_transaction = extent == Extent::kSection || scope_.phase() != Phase::kNone;
  if (scope == SettingScope::kTransaction && !is_in_transaction &&
      statement.kind == StatementKind::kSetTenant) {
    reply.warning = errors::set_local_outside_transaction();
  }
  using Refusal = TransactionScope::Refusal;
  const Refusal refusal = extent == Extent::kSection ? scope_.set_tenant_for_query(tenant, scope)
                                                     : scope_.set_tenant(tenant, scope);
  if (refusal == Refusal::kTenantIsFixed) return LocalReply::failed(errors::tenant_is_fixed());
  if (refusal == Refusal::kOtherTenantInTransaction)
    return LocalReply::failed(errors::other_tenant_in_transaction());
  return reply;
}

LocalReply ClientFsm::perform_deallocate(const Statement& statement) {
  if (statement.name.empty()) {
    named_.clear();
    return LocalReply::done("DEALLOCATE ALL");
  }
  named_.remove(statement.name);
  return LocalReply::done("DEALLOCATE");
}

void ClientFsm::discard_all() {
  named_.clear();
  settings_ = first_settings_;
  scope_.reset_session();
  is_pinned_ = false;
}

}  // namespace partywall::sql
