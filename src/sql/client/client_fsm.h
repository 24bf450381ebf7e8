#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sql/client/local_reply.h"
#include "sql/client/named_statements.h"
#include "sql/client/tenant_resolver.h"
#include "sql/client/transaction_scope.h"
#include "sql/copy/copy_translation.h"
#include "sql/prepared_statement.h"
#include "sql/server/server_fsm.h"
#include "sql/slow/slow_statement.h"
#include "sql/wire/extended_messages.h"
#include "sql/wire/message.h"

namespace partywall::sql {

struct ClientLimits {
  // Query and Parse texts are read up to here; of a longer Query the rest is passed on unread, a
  // longer Parse must be unnamed.
  size_t max_statement_bytes = 256 * 1024;
  size_t max_prepared_statements = 1'000;       // of one client, with a name
  size_t max_prepared_bytes = 4 * 1024 * 1024;  // their texts together
  size_t max_copy_row_bytes = 4 << 20;          // of a COPY FROM that is translated
  uint64_t max_message_bytes = 64 << 20;        // PostgreSQL's own bound is 1 GiB
};

// What statements without a tenant get.
enum class WithoutTenant : uint8_t {
  kRefuse,         // 28000
  kEmptyRegister,  // a connection whose register is empty: tenant tables raise, others can be read
};

struct ClientIdentity {
  uint64_t serial = 0;  // of the session within the worker, never 0, never used again
  TransactionScope scope;
  WithoutTenant without_tenant = WithoutTenant::kRefuse;
  SettingsRef settings;  // what the client asked for at start-up
  Settings told;         // the ParameterStatus messages it was sent
};

// What a session did since it was asked last.
struct SessionProgress {
  uint32_t statements = 0;  // CommandComplete of a server
  uint32_t transactions = 0;
  uint32_t errors = 0;                // of the server and of the door
  Duration busy{};                    // the server connection, with sections that have ended
  std::optional<SlowStatement> slow;  // the last section that was
};

// A client's session after its login, in transaction pooling, sans-I/O: bytes of the client and of
// its server connection in, bytes for both out, and whether a server connection is wanted or may be
// given back.
//
// A *section* is what ends with one ReadyForQuery: a Query, a FunctionCall, or the messages up to a
// Sync. Sections are passed on one at a time: the next one waits until the last is answered. So at
// the start of a section the state of the transaction is known, which is what all decisions about
// tenants need; within a section everything is pipelined.
class ClientFsm {
 public:
  ClientFsm(ClientIdentity identity, ClientLimits limits, PreparedStatementStore& statements,
            TenantResolver& tenants);

  // Each takes what it can from the front and returns how much that was. What is left must be
  // offered again, with more behind it or after something else has changed. The bytes must stay
  // until the outboxes were flushed or keep() was called on them.
  size_t receive_from_client(std::string_view bytes, MonotonicTime now);
  size_t receive_from_server(std::string_view bytes, MonotonicTime now);
  Outbox& to_client() { return to_client_; }
  [[nodiscard]] size_t unsent_to_client() const { return to_client_.size(); }

  // --- The server connection.
  // The tenant of the connection that is wanted (the nil id: none), while none is there.
  [[nodiscard]] std::optional<TenantId> wanted() const { return server_ ? std::nullopt : wanted_; }
  // The connection is bound to the tenant, or `enter` is on its way in `to_server`.
  void attach(ServerFsm& server, Outbox& to_server);
  [[nodiscard]] bool has_server() const { return server_ != nullptr; }
  // Outside a transaction, nothing under way, nothing kept on it for this client.
  [[nodiscard]] bool may_release() const;
  void detach();
  // It could not be had: the statement that needs it fails with this.
  void refuse_server(const SqlError& error);
  // Its connection has ended. The session detaches from a server that breaks the rules (or that
  // fails a request of the door's own) by itself: where has_server() turns false, close it.
  void on_server_closed();

  // --- Time limits.
  // Since when the server has been working on one statement.
  [[nodiscard]] std::optional<MonotonicTime> busy_since() const { return busy_since_; }
  // Since when a transaction has been open without a statement.
  [[nodiscard]] std::optional<MonotonicTime> idle_in_transaction_since() const;
  // Since when a transaction has been open on the server, whatever is said in it.
  [[nodiscard]] std::optional<MonotonicTime> in_transaction_since() const {
    return server_ ? transaction_since_ : std::nullopt;
  }
  // A cancel is on its way because of this: the server's 57014 is replaced with it.
  void explain_cancel(SqlError error) { cancel_reason_ = std::move(error); }
  // A COPY FROM that is translated fails with this. True: the server does nothing that would have
  // to be cancelled for it.
  bool interrupt_copy(const SqlError& error);

  // Sections that take at least as long are told by take_progress(); max(): none.
  void note_slower_than(Duration threshold) { slow_threshold_ = threshold; }

  // --- The end.
  // Ends the session with a FATAL error.
  void terminate(const SqlError& error);
  // Close the connection once to_client() is sent.
  [[nodiscard]] bool is_finished() const { return is_finished_; }
  // A section may not have begun on the server: what is forwarded next starts one.
  [[nodiscard]] bool is_between_sections() const { return !is_sent_; }
  // Neither a section nor a transaction is open: may be ended without loss.
  [[nodiscard]] bool is_idle() const;
  // Keeps its server connection between transactions because of session state on it.
  [[nodiscard]] bool is_pinned() const { return is_pinned_; }

  [[nodiscard]] const TransactionScope& scope() const { return scope_; }
  [[nodiscard]] const SettingsRef& settings() const { return settings_; }
  SessionProgress take_progress() { return std::exchange(progress_, {}); }
  // Its end is not awaited any more: what the section under way has taken so far counts.
  void stop_counting_time(MonotonicTime now);

 private:
  enum class Taken : uint8_t { kYes, kNotYet };
  enum class Access : uint8_t { kGranted, kWait, kRefused };
  // What SET LOCAL lasts for outside a transaction: nothing, or the other statements of its Query
  // or up to its Sync, which are one transaction.
  enum class Extent : uint8_t { kStatement, kSection };

  // The unnamed statement is the client's own; named ones are shared with others.
  struct UnnamedStatement {
    uint64_t number = 0;     // 0: there is none
    std::string definition;  // empty: it was too long to be kept
    QueryShape shape;        // points into the definition
  };
  struct FoundStatement {
    PreparedStatementRef shared;  // nullptr: the unnamed one
    const QueryShape* shape = nullptr;
    std::string_view definition;
  };
  using Values = std::vector<std::optional<std::string>>;
  // A portal over a statement that the door executes itself.
  struct LocalPortal {
    std::string name;
    std::string text;
    Statement statement;  // points into `text`
    Values values;
  };

  // client_fsm.cc: messages.
  [[nodiscard]] bool is_blocked(char type) const;
  [[nodiscard]] bool takes_copy_data() const;
  Taken take_message(const MessageHead& head, std::string_view available);
  Taken take_whole_message(char type, std::string_view message);
  void take_copy_message(std::string_view part);
  [[nodiscard]] bool takes_rest_of_message() const;
  void take_rest_of_message(std::string_view part);
  void protocol_violation(std::string_view what);
  void note_syntax();

  // client_section.cc: what all requests have in common.
  [[nodiscard]] TransactionStatus status() const;
  [[nodiscard]] bool is_open_on_server() const;
  // Unless granted, the request has to wait, or has been refused.
  Access access_server(Request request);
  bool settings_are_taken();
  [[nodiscard]] bool is_trying_settings() const {
    return first_settings_state_ == FirstSettings::kTrying;
  }
  void open_on_server();
  void note_text(std::string_view text);
  void forward(Request request, std::string_view bytes, uint64_t statement = 0);
  void end_section(Request request, std::string_view bytes);
  void await_ready();
  // Fails the request: here, or on the server where a transaction there must fail too.
  void refuse(const SqlError& error, Request request);
  void fail_locally(const SqlError& error, Request request);
  void fail_on_server(const SqlError& error, Request request);
  void append_failing_bind();
  void answer_ready();
  void close_section();
  // The request may leave something behind in the server's session.
  [[nodiscard]] std::optional<SqlError> note_session_effects(const Statement& statement);

  // client_simple.cc
  Taken on_query(std::string_view available, bool is_long);
  void answer_query(const Statement& statement);
  bool answer_cleaning(std::string_view text);
  void clean(const Statement& statement);
  std::optional<SqlError> examine(const Statement& first, std::optional<Statement> next,
                                  StatementReader& rest);
  std::optional<SqlError> examine_first(const Statement& first, bool is_one_of_several);
  Taken on_function_call(std::string_view available);

  // client_copy.cc
  [[nodiscard]] std::optional<CopyFrom> copy_to_be_translated(std::string_view text) const;
  void ask_about_copy(CopyFrom copy, std::string_view query);
  void on_swallowed_row(std::string_view row);
  void on_swallowed_execute(std::string_view tag);
  void take_copy_data(std::string_view bytes);
  void take_end_of_copy(std::string_view message);
  void act_on_copy(CopyTranslation::Next next);
  void end_copy();
  void end_copy_after_error();

  // client_extended.cc
  Taken on_parse(std::string_view message);
  Taken parse_named(const ParseMessage& parse);
  Taken parse_unnamed(const ParseMessage& parse, std::string_view message);
  Taken on_long_parse(std::string_view available);
  Taken forward_unnamed_parse(std::string_view available);
  Taken on_bind(const MessageHead& head, std::string_view available);
  std::optional<Taken> bind_locally(const FoundStatement& found, std::string_view message);
  Taken forward_bind(const FoundStatement& found, const BindTarget& target, const MessageHead& head,
                     std::string_view available);
  Taken on_describe(std::string_view message);
  Taken describe_portal(std::string_view name, std::string_view message);
  [[nodiscard]] bool may_be_executed(std::string_view portal) const;
  void describe_rows(const Statement& statement);
  Taken on_execute(std::string_view message);
  void execute_locally();
  Taken on_close(std::string_view message);
  Taken on_sync(std::string_view message);
  [[nodiscard]] std::optional<SqlError> check_parse(const ParseMessage& parse) const;
  [[nodiscard]] std::optional<FoundStatement> find_statement(std::string_view name) const;

  // client_local.cc: statements that the door executes itself.
  [[nodiscard]] bool is_local(const Statement& statement) const;
  [[nodiscard]] static bool names_tenant_setting(const TenantSetting& setting,
                                                 const Values& values);
  LocalReply perform(const Statement& statement, const Values& values, Extent extent);
  LocalReply perform_begin(const Statement& statement);
  LocalReply perform_end(const Statement& statement);
  LocalReply perform_chain(const Statement& statement);
  LocalReply perform_set_tenant(const Statement& statement, const Values& values, Extent extent);
  LocalReply perform_deallocate(const Statement& statement);
  void discard_all();

  // client_server_events.cc
  void on_server_event(const ServerFsm::Event& event);
  void undo_skipped();
  void on_server_error(const ServerFsm::Event& event);
  void on_command_complete(const ServerFsm::Event& event);
  void on_parameter_status(const ServerFsm::Event& event);
  void on_server_ready(std::string_view message);
  void on_settings_tried();
  void restore_settings_of_session();
  void fail_section(const SqlError& error);
  void drain_fabricated();

  const ClientLimits limits_;
  PreparedStatementStore& store_;
  TenantResolver& tenants_;
  const uint64_t serial_;
  const WithoutTenant without_tenant_;
  TransactionScope scope_;
  const SettingsRef first_settings_;
  // Whether a server has taken them: until then nothing is sent behind them.
  enum class FirstSettings : uint8_t { kUntried, kTrying, kTaken };
  FirstSettings first_settings_state_;
  struct SettingsRefusal {
    std::string sqlstate;
    std::string message;
  };
  std::optional<SettingsRefusal> settings_refusal_;
  SettingsRef settings_;
  Settings told_;
  // As they were when the transaction of a tenant began that is this transaction's only: what that
  // tenant changes in it, seen by the door or not, is not the next one's.
  struct SettingsBefore {
    SettingsRef settings;
    Settings told;  // only of those that the client was told about since
  };
  std::optional<SettingsBefore> settings_before_tenant_;
  SqlSyntax syntax_;
  NamedStatements named_;
  UnnamedStatement unnamed_;
  bool unnamed_portal_is_bound_ = false;  // by a Bind since the last Query; false if in doubt

  Outbox to_client_;
  ServerFsm* server_ = nullptr;
  Outbox* to_server_ = nullptr;
  std::optional<TenantId> wanted_;
  std::optional<SqlError> refused_server_;

  // The section under way.
  bool is_sent_ = false;            // something of it went to the server
  bool awaiting_ready_ = false;     // its end went to the server
  bool skip_to_sync_ = false;       // it failed here
  bool has_failed_ = false;         // it failed on the server
  bool was_rolled_back_ = false;    // its last CommandComplete says ROLLBACK
  bool front_is_examined_ = false;  // the message at the front only waits for the server connection
  bool soils_server_ = false;       // leaves something that other clients must not see
  bool hides_statements_ = false;   // may have changed the server's prepared statements, unseen
  bool resets_settings_ = false;    // RESET ALL, DISCARD ALL
  bool copy_data_ended_ = false;    // by the client
  std::unique_ptr<CopyTranslation> copy_;
  // What ends the transaction was sent, and its tenant was its own only.
  bool tenants_transaction_ended_ = false;
  TransactionStatus status_before_ = TransactionStatus::kIdle;
  std::optional<LocalPortal> local_portal_;
  std::optional<SqlError> refusal_;
  // What happened to the names of statements in it, to be undone where the server skips it.
  struct NameChange {
    std::string name;
    uint64_t parsed = 0;          // the statement's id; 0: it was closed
    PreparedStatementRef closed;  // nullptr: there was none
  };
  std::vector<NameChange> name_changes_;
  size_t closed_bytes_ = 0;  // of the texts that are kept for that

  bool is_pinned_ = false;
  bool is_finished_ = false;
  uint32_t body_left_ = 0;  // of a client's message whose first part is through
  bool body_is_forwarded_ = false;
  bool body_is_copy_data_ = false;  // of a COPY that is translated
  std::optional<SqlError> cancel_reason_;
  std::optional<MonotonicTime> busy_since_;
  std::optional<MonotonicTime> transaction_since_;
  Duration slow_threshold_ = Duration::max();
  SlowStatement noted_;                   // the section under way
  std::optional<MonotonicTime> sent_at_;  // the first message of the section under way
  MonotonicTime now_;
  MonotonicTime ready_at_;
  SessionProgress progress_;
};

}  // namespace partywall::sql
