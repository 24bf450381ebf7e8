#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sql/prepared_statement.h"
#include "sql/server/expectations.h"
#include "sql/server/server_statements.h"
#include "sql/server/tenancy.h"
#include "sql/settings.h"
#include "sql/wire/message_writer.h"
#include "sql/wire/outbox.h"
#include "sql/wire/startup.h"

namespace partywall::sql {

// What is known of a server connection once it has logged in.
struct ServerInfo {
  CancelRequest key;       // how to cancel what it does
  uint32_t enter_oid = 0;  // of partywall.enter(bytea)
  // The role cannot list prepared statements, so their names stay unknown to clients and one
  // client's may serve another of the same tenant.
  bool statement_names_are_private = false;
  Settings reported;  // the ParameterStatus messages of the login
};

// One server connection after its login, sans-I/O. It knows what the server owes, takes the answers
// to the door's own requests out of the stream, and keeps the connection's tenancy.
class ServerFsm {
 public:
  ServerFsm(ServerInfo info, Random& random, size_t max_statements);

  // --- Requests of the door's own. Each appends to `out`; the answers never reach a client.
  void send_enter(Outbox& out, TenantId tenant, std::string_view token);
  void use_without_tenant() { tenancy_.used_without_tenant(); }
  // Brings the session's settings to `wanted`; nothing is sent if they are so already.
  void send_settings(Outbox& out, const SettingsRef& wanted);
  // The same for settings that may be refused: nothing else is sent before the answer, which is
  // kOwnRequestDone, or kSettingsRefused and then kOwnRequestDone with everything as it was.
  void try_settings(Outbox& out, const SettingsRef& wanted);
  void send_begin(Outbox& out, std::string_view statement);
  // Leaves an open transaction, then DISCARD ALL.
  void send_reset(Outbox& out);
  // Makes the statement known to the server under the name that is returned.
  std::string use_statement(Outbox& out, const PreparedStatement& statement);
  // Its next Parse is the client's own: drops it first if the server has it.
  std::string replace_statement(Outbox& out, const PreparedStatement& statement);
  // False: it is not there, and there is no definition to put it there again.
  bool use_unnamed_statement(Outbox& out, uint64_t owner, std::string_view definition);
  // A new client: what the previous one may have found out about our names is worthless.
  void change_client(Outbox& out, uint64_t client);

  // --- Requests of the client: the caller appends the bytes.
  void expect(Request request, Disposition disposition = Disposition::kForward,
              uint64_t statement = 0);
  // Who has put what into the unnamed statement; 0: nobody knows.
  void unnamed_statement_replaced(uint64_t owner) { unnamed_owner_ = owner; }
  void soil() { tenancy_.apply(TenancyEvent::kSoil); }
  // Somebody may have found out the names of our prepared statements, or have taken them away: the
  // next use of one takes new names.
  void distrust_statements() { distrust_statements_ = true; }

  // --- What the server says.
  enum class EventKind : uint8_t {
    kNeedMore,          // nothing complete is left in the input
    kRelay,             // `bytes` are for the client
    kCommandComplete,   // `bytes` for the client; `text` is the tag
    kSwallowedRow,      // of an Execute that the door asked for itself; `text` is the body
    kSwallowedExecute,  // its end; `text` is the tag
    kCopyIn,            // `bytes` for the client: it may send CopyData now
    kError,             // `bytes` for the client; `text` is the body
    kRefused,           // what had to fail has failed: the caller's own error takes its place
    kParameterStatus,   // `bytes` for the client; `text` the name, `value`
    kReady,             // the client's request is answered; see transaction_status()
    kOwnRequestDone,    // `request`
    kSettingsRefused,   // those of try_settings(); `text` is the error's body
    kOwnRequestFailed,  // `request`; `text` is the error's body: for the log, never for a client
    kBroken,            // close the connection; `text` says why
  };
  struct Event {
    EventKind kind = EventKind::kNeedMore;
    std::string_view bytes;
    std::string_view text;
    std::string_view value;
    Request request = Request::kSync;
  };
  // Takes the next event from the front of `input`. The views point into it.
  Event next(std::string_view& input);

  [[nodiscard]] const ServerInfo& info() const { return info_; }
  [[nodiscard]] const ServerTenancy& tenancy() const { return tenancy_; }
  [[nodiscard]] const SettingsRef& settings() const { return settings_; }
  [[nodiscard]] TransactionStatus transaction_status() const { return status_; }
  // Everything asked has been answered.
  [[nodiscard]] bool is_quiet() const {
    return expectations_.empty() && !skipping_ && body_left_ == 0;
  }
  [[nodiscard]] size_t owed() const { return expectations_.size(); }
  // An error came: the server ignores what it gets up to the next Sync, which was not sent yet.
  [[nodiscard]] bool is_skipping() const { return skipping_; }
  [[nodiscard]] bool is_in_copy_in() const { return in_copy_in_; }
  [[nodiscard]] bool is_serving_own_request() const {
    return !expectations_.empty() && is_own(expectations_.front().request);
  }
  // The next answer is the door's: next() gives it without input.
  [[nodiscard]] bool is_fabricated_answer_due() const {
    return body_left_ == 0 && !expectations_.empty() &&
           expectations_.front().disposition == Disposition::kFabricate;
  }
  // It owes the end of an Execute, and no ReadyForQuery behind it.
  [[nodiscard]] bool owes_only_execute() const {
    return expectations_.size() == 1 && expectations_.front().request == Request::kExecute;
  }
  // What the server did not do for the client because of an error, since this was asked last.
  struct Skipped {
    std::vector<uint64_t> statements;  // of its Parse messages
    size_t closes = 0;                 // that the door was to answer
    size_t binds = 0;
  };
  Skipped take_skipped() { return std::exchange(skipped_, {}); }
  // Quiet, outside a transaction: another client of the same tenant may have it.
  [[nodiscard]] bool is_free() const {
    return is_quiet() && status_ == TransactionStatus::kIdle &&
           tenancy_.state() == TenancyState::kBound;
  }

 private:
  Event take_part_of_body(std::string_view& input);
  Event read_message(std::string_view& input);
  Event read_whole_message(char type, std::string_view message);
  Event on_own_message(char type, std::string_view message);
  Event on_own_ready(TransactionStatus status);
  Event on_client_message(char type, std::string_view message);
  Event on_copy_in(std::string_view message);
  Event on_error(std::string_view message);
  Event on_ready(std::string_view message);
  Event on_parameter_status(std::string_view message);
  // The answer to the front, which must be one of these: it is done with.
  Event answer(std::initializer_list<Request> allowed, std::string_view message);
  Event command_complete(std::string_view message);
  Event broken(std::string_view why);
  [[nodiscard]] bool front_is(std::initializer_list<Request> requests) const;
  [[nodiscard]] bool may_stream(char type) const;
  [[nodiscard]] bool is_swallowing_execute() const;
  void note_streamed(char type, std::string_view part);
  void skip_to_sync();
  void drop_statements(Outbox& out);

  ServerInfo info_;
  ServerTenancy tenancy_;
  Expectations expectations_;
  ServerStatements statements_;
  SettingsRef settings_;
  SettingsRef settings_before_;  // while others are tried
  uint64_t client_ = 0;
  uint64_t unnamed_owner_ = 0;
  TransactionStatus status_ = TransactionStatus::kIdle;
  bool skipping_ = false;  // an error came: nothing is answered up to the next Sync
  bool in_copy_in_ = false;
  bool own_answer_seen_ = false;  // the message that proves the success of our own request
  bool distrust_statements_ = false;
  Skipped skipped_;
  uint32_t body_left_ = 0;  // of a message whose first part is through
  bool body_is_for_client_ = false;
};

}  // namespace partywall::sql
