#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/byte_buffer.h"
#include "net/event.h"
#include "net/stream.h"
#include "net/timer.h"
#include "sql/client/client_fsm.h"
#include "sql/client/directory_tenant_resolver.h"
#include "sql/door/client_registry.h"
#include "sql/door/door_worker.h"
#include "sql/pool/server_lease.h"

namespace partywall::sql {

// Moves the bytes between a client, its ClientFsm and the server connection it has at the moment.
// One coroutine, one event.
class Session final : private ConnectedClient {
 public:
  // `told`: the ParameterStatus messages that the client is to be sent.
  Session(DoorWorker& worker, AdmittedClient client, const Settings& told);
  ~Session() override;

  net::Task<> run();

 private:
  static ClientIdentity identity(DoorWorker& worker, const Admission& admission,
                                 const Settings& told);
  void greet(const Settings& told);
  bool step();
  bool read_client();
  bool offer_carry();
  size_t feed(std::string_view bytes);
  bool read_server();
  bool look_after_lease();
  void request_server(TenantId id);
  [[nodiscard]] std::optional<SqlError> objection(const Tenant& tenant) const;
  [[nodiscard]] std::optional<SqlError> objection_to_going_on(TenantId id);
  bool release_server();
  void lose_server();
  void look_at_end();
  void look_at_time();
  void look_at_cancel();
  void look_at_statement_time(MonotonicTime now);
  void look_at_transaction_time(MonotonicTime now);
  [[nodiscard]] Duration transaction_limit() const;
  void flush_client();
  void flush_server();
  void arm();
  void arm_timer();
  void account();
  void end();
  void cancel_statement() override;
  void end_by_operator() override;
  [[nodiscard]] ClientInfo describe() const override;
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool must_hold_client() const;
  [[nodiscard]] bool may_cancel() const;
  [[nodiscard]] bool wants_client_bytes() const;
  [[nodiscard]] bool wants_server_bytes() const;
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;

  DoorWorker& worker_;
  net::Event wake_;
  net::Drain::Watch drain_watch_;
  net::Timer timer_;
  MonotonicTime timer_deadline_;
  const MonotonicTime connected_at_;
  Admission admission_;
  DirectoryTenantResolver resolver_;
  ClientFsm fsm_;
  CancelRequest cancel_key_;
  ServerLease lease_;
  CellPool* pool_ = nullptr;  // of the lease
  std::unique_ptr<net::Stream> client_;
  ByteBuffer carry_;  // what the client sent and the session has not taken yet
  bool client_is_gone_ = false;
  bool is_killed_ = false;  // by an operator
  bool was_pinned_ = false;
  bool cancel_wanted_ = false;                // by the client, for the section under way
  MonotonicTime next_cancel_;                 // not before
  std::optional<MonotonicTime> cancel_sent_;  // because of the time limit, in this section
  std::optional<MonotonicTime> finishing_since_;
  // Of the tenant that the server connection is for.
  std::optional<TenantId> tenant_;
  std::optional<TenantNumber> tenant_number_;
  Duration statement_timeout_ = Duration::max();
  Duration max_cpu_time_{};
};

}  // namespace partywall::sql
