#include "sql/statement.h"

namespace partywall::sql {

std::string_view to_string(StatementKind kind) {
  switch (kind) {
    case StatementKind::kEmpty:
      return "empty";
    case StatementKind::kBegin:
      return "begin";
    case StatementKind::kCommit:
      return "commit";
    case StatementKind::kCommitAndChain:
      return "commit and chain";
    case StatementKind::kRollback:
      return "rollback";
    case StatementKind::kRollbackAndChain:
      return "rollback and chain";
    case StatementKind::kRollbackTo:
      return "rollback to savepoint";
    case StatementKind::kSavepoint:
      return "savepoint";
    case StatementKind::kRelease:
      return "release savepoint";
    case StatementKind::kPrepareTransaction:
      return "prepare transaction";
    case StatementKind::kCommitPrepared:
      return "commit prepared";
    case StatementKind::kRollbackPrepared:
      return "rollback prepared";
    case StatementKind::kSetTransaction:
      return "set transaction";
    case StatementKind::kSetTenant:
      return "set tenant";
    case StatementKind::kSelectSetConfig:
      return "select set_config";
    case StatementKind::kResetTenant:
      return "reset tenant";
    case StatementKind::kUnclearTenantSetting:
      return "unclear tenant setting";
    case StatementKind::kResetAll:
      return "reset all";
    case StatementKind::kDiscardAll:
      return "discard all";
    case StatementKind::kDiscardSequences:
      return "discard sequences";
    case StatementKind::kDiscardOther:
      return "discard";
    case StatementKind::kSetRole:
      return "set role";
    case StatementKind::kSetSessionAuthorization:
      return "set session authorization";
    case StatementKind::kSet:
      return "set";
    case StatementKind::kReset:
      return "reset";
    case StatementKind::kShow:
      return "show";
    case StatementKind::kPrepare:
      return "prepare";
    case StatementKind::kExecute:
      return "execute";
    case StatementKind::kDeallocate:
      return "deallocate";
    case StatementKind::kListen:
      return "listen";
    case StatementKind::kUnlisten:
      return "unlisten";
    case StatementKind::kCloseAll:
      return "close all";
    case StatementKind::kUnlockAll:
      return "unlock all";
    case StatementKind::kNotify:
      return "notify";
    case StatementKind::kDeclareWithHold:
      return "declare with hold";
    case StatementKind::kCopy:
      return "copy";
    case StatementKind::kAlterRole:
      return "alter role";
    case StatementKind::kCreateTemp:
      return "create temporary";
    case StatementKind::kSelect:
      return "select";
    case StatementKind::kChange:
      return "change";
    case StatementKind::kOther:
      return "other";
  }
  return "unknown";
}

}  // namespace partywall::sql
