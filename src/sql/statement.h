#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

// What the sql door must know about the text of a client's statements: where each one ends, and
// whether it is one of the few that the door answers itself, pins a connection for or refuses. The
// text is tokenised by PostgreSQL's rules (src/backend/parser/scan.l); it is never searched. What
// is not recognised with certainty is kOther: it is passed on, cannot bind a tenant, and cannot
// harm the tenant register, which no statement of a client can write.
namespace partywall::sql {

inline constexpr std::string_view kTenantSetting = "app.current_tenant";
// Longer values, names and aliases are not recognised (a context token has at most 256 bytes).
inline constexpr size_t kMaxRecognisedValueLength = 1024;

// The two session settings of PostgreSQL that change how a text is to be read. Both are reported by
// the server (ParameterStatus).
struct SqlSyntax {
  bool standard_conforming_strings = true;  // false: '…\'…' is an escape
  // false in SJIS, BIG5, GBK, UHC, GB18030, JOHAB and SHIFT_JIS_2004, where the second byte of a
  // character may look like ASCII: then a text with bytes above 127 is not recognised at all.
  bool ascii_safe_encoding = true;
};

[[nodiscard]] bool is_ascii_safe_encoding(std::string_view client_encoding);

enum class StatementKind : uint8_t {
  kEmpty,  // nothing but blanks and comments; only as the sole statement of a text

  // Transactions. All of them are recognised completely (options included), so that the door may
  // answer without asking the server.
  kBegin,  // BEGIN and START TRANSACTION; `text` has the options
  kCommit,
  kCommitAndChain,
  kRollback,
  kRollbackAndChain,
  kRollbackTo,  // `name`: the savepoint
  kSavepoint,   // `name`
  kRelease,     // `name`
  kPrepareTransaction,
  kCommitPrepared,
  kRollbackPrepared,
  kSetTransaction,  // SET TRANSACTION …, SET SESSION CHARACTERISTICS …: see `scope`

  // The tenant. `setting` says what; recognised completely.
  kSetTenant,        // SET [SESSION|LOCAL] app.current_tenant {=|TO} value
  kSelectSetConfig,  // SELECT [pg_catalog.]set_config(name, value, is_local), where name is the
                     // tenant setting or a parameter
  kResetTenant,      // RESET app.current_tenant, and SET [SESSION|LOCAL] … TO DEFAULT (see `scope`)
  // Begins like one of the three, but goes on in a way that is not understood (a list, a number, an
  // expression, a unicode escape): refuse it, or the client believes in a tenant that is not set.
  kUnclearTenantSetting,

  // Session state. Recognised by their first words: the server still parses them.
  kResetAll,
  kDiscardAll,
  kDiscardSequences,  // empties the register too
  kDiscardOther,      // PLANS, TEMP
  kSetRole,           // also RESET ROLE
  kSetSessionAuthorization,
  kSet,              // any other SET, or SELECT set_config(…); `name`: the setting in lower case;
                     // see `scope`
  kReset,            // any other RESET; `name`
  kShow,             // `name`
  kPrepare,          // `name`: the prepared statement
  kExecute,          // `name`
  kDeallocate,       // `name`; empty: ALL
  kListen,           // `name`: the channel
  kUnlisten,         // `name`; empty: all
  kCloseAll,         // CLOSE ALL
  kUnlockAll,        // SELECT [pg_catalog.]pg_advisory_unlock_all()
  kNotify,           // `name`
  kDeclareWithHold,  // `name`: the cursor
  kCopy,
  kAlterRole,   // ALTER ROLE, ALTER USER; not ALTER USER MAPPING
  kCreateTemp,  // TABLE, VIEW or SEQUENCE with TEMP or TEMPORARY
  kSelect,      // SELECT, VALUES, TABLE, WITH, "(": it may still write
  kChange,      // INSERT, UPDATE, DELETE, MERGE
  kOther,
};

std::string_view to_string(StatementKind kind);

enum class SettingScope : uint8_t { kTransaction, kSession };

// $n of the extended protocol, from 1.
struct ParameterNumber {
  uint16_t number = 0;
  bool operator==(const ParameterNumber&) const = default;
};

// What is to be stored in the tenant setting, and for how long.
struct TenantSetting {
  // std::string: exactly the tenant setting (as written); a parameter: only Bind tells.
  std::variant<std::string, ParameterNumber> name;
  std::variant<std::string, ParameterNumber> value;
  std::variant<SettingScope, ParameterNumber> scope = SettingScope::kSession;
  std::string column;  // of the row that answers set_config: the alias or "set_config"
};

struct Statement {
  StatementKind kind = StatementKind::kOther;
  std::string_view text;  // from its first token up to the semicolon, without blanks at the end
  std::string name;       // where the kind says; quotes removed, unquoted ones in lower case
  // kSet and kSetTransaction: how long it lasts (SET LOCAL, SET TRANSACTION: the transaction; SET,
  // SET SESSION CHARACTERISTICS: the session, so that the connection is pinned).
  SettingScope scope = SettingScope::kSession;
  std::optional<TenantSetting> setting;
};

// Reads the statements of one Query (or Parse) text one after the other, without recursion, in
// memory that does not grow with the text. The text must outlive the reader and its statements.
class StatementReader {
 public:
  explicit StatementReader(std::string_view sql, SqlSyntax syntax = {});

  // nullopt at the end. Statements without a token between two semicolons are left out; a text that
  // has none at all gives one kEmpty.
  // After something that PostgreSQL's scanner refuses too (an unterminated quote or comment, a zero
  // byte) the rest of the text is one kOther.
  std::optional<Statement> next();

 private:
  std::optional<Statement> take_rest();

  std::string_view sql_;
  size_t position_ = 0;
  SqlSyntax syntax_;
  bool readable_;
  bool found_any_ = false;
};

// The first statement, and whether others follow.
struct QueryShape {
  Statement first;
  bool has_more = false;
};

[[nodiscard]] QueryShape read_query_shape(std::string_view sql, SqlSyntax syntax = {});

}  // namespace partywall::sql
