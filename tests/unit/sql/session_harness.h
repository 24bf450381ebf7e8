#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "sql/client/client_fsm.h"
#include "sql/fake_postgres.h"
#include "sql/messages.h"

namespace partywall::sql::testing {

inline TenantId tenant_id(uint64_t number) { return TenantId(Uuid::from_halves(0, number)); }

// "context-1" means tenant 1, and so on.
class FakeResolver final : public TenantResolver {
 public:
  std::expected<TenantId, SqlError> resolve(std::string_view value) override {
    if (!value.starts_with("context-"))
      return std::unexpected(SqlError{sqlstate::kInvalidAuthorization, "no context", ""});
    return tenant_id(static_cast<uint64_t>(value.back() - '0'));
  }
  std::optional<SqlError> objection(TenantId) override { return objects_with; }
  std::optional<SqlError> objects_with;
};

// One client's session and one server connection, moved by hand as the coroutine shell moves them.
class SessionHarness {
 public:
  explicit SessionHarness(TransactionScope scope, size_t split = SIZE_MAX,
                          bool private_names = true, SettingsRef settings = nullptr)
      : split_(split),
        private_names_(private_names),
        server_(new_server()),
        client_(identity(std::move(scope), 1, std::move(settings)), {}, store_, resolver_) {}

  static SessionHarness bound(size_t split = SIZE_MAX) {
    return SessionHarness(TransactionScope::bound_to(tenant_id(1)), split);
  }
  static SessionHarness open(size_t split = SIZE_MAX) {
    return SessionHarness(TransactionScope::open(std::nullopt), split);
  }

  static SessionHarness with_time_zone(std::string_view zone) {
    return SessionHarness(TransactionScope::bound_to(tenant_id(1)), SIZE_MAX, true,
                          with_setting(nullptr, "TimeZone", zone));
  }

  // What the client gets for these bytes.
  std::string exchange(std::string_view bytes) {
    std::string all;
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, split_);
      bytes.remove_prefix(piece.size());
      from_client_.append(piece);
      move_all();
    }
    all.append(to_client_);
    to_client_.clear();
    return all;
  }
  std::string ask(std::string_view bytes) {
    std::string answer = exchange(bytes);
    return summary(take_messages(answer));
  }
  // The server's received messages since the last call.
  std::string sent_to_server() {
    std::string all = request_summary(postgres.received());
    postgres.forget_received();
    return all;
  }
  void lose_server() {
    is_lost_ = true;
    client_.on_server_closed();
    flush_client();
  }
  ClientFsm& client() { return client_; }
  ServerFsm& server() { return *server_; }
  FakeResolver& resolver() { return resolver_; }
  std::string take_to_client() { return std::exchange(to_client_, {}); }
  // A tenant that waits for nothing, or is refused.
  std::optional<SqlError> refuse_with;
  bool holds_server_back = false;
  bool holds_answers = false;  // of the server

  FakePostgres postgres;

 private:
  std::unique_ptr<ServerFsm> new_server() {
    ServerInfo info{.key = {7, 8},
                    .enter_oid = 4711,
                    .statement_names_are_private = private_names_,
                    .reported = {}};
    return std::make_unique<ServerFsm>(std::move(info), random_, 4);
  }
  static ClientIdentity identity(TransactionScope scope, uint64_t serial,
                                 SettingsRef settings = nullptr) {
    return {
        .serial = serial, .scope = std::move(scope), .settings = std::move(settings), .told = {}};
  }

  void move_all() {
    for (bool moved = true; moved;) {
      moved = false;
      const size_t taken = client_.receive_from_client(from_client_, now_);
      flush_client();
      to_server_bytes_.append(drain(to_server_));
      from_client_.erase(0, taken);
      moved |= taken > 0;
      if (client_.wanted() && !holds_server_back) {
        provide_server(*client_.wanted());
        moved = true;
      }
      if (!holds_answers) moved |= move_server();
      if (client_.may_release()) client_.detach();
      now_ += microseconds(10);
    }
  }
  void provide_server(TenantId tenant) {
    if (refuse_with) return client_.refuse_server(*std::exchange(refuse_with, std::nullopt));
    if (is_lost_ || server_->tenancy().state() == TenancyState::kBroken) replace_server();
    if (!server_->tenancy().is_bound_to(tenant)) {
      if (server_->tenancy().state() != TenancyState::kClean) {
        reset();
      }
      if (tenant == TenantId()) {
        server_->use_without_tenant();
      } else {
        server_->send_enter(to_server_, tenant,
                            make_fake_token("tenant " + std::to_string(tenant.value().low())));
      }
    }
    client_.attach(*server_, to_server_);
  }
  void reset() {
    server_->send_reset(to_server_);
    const std::string answer = postgres.receive(drain(to_server_));
    std::string_view rest = answer;
    while (server_->tenancy().state() == TenancyState::kResetting) server_->next(rest);
    if (server_->tenancy().state() == TenancyState::kBroken) replace_server();
  }
  // The pool has closed it and opened another one.
  void replace_server() {
    is_lost_ = false;
    postgres.start_again();
    to_server_.clear();
    to_server_bytes_.clear();
    from_server_.clear();
    server_ = new_server();
  }
  bool move_server() {
    if (to_server_bytes_.empty()) return false;
    from_server_.append(postgres.receive(std::exchange(to_server_bytes_, {})));
    // Split what comes back too.
    std::string offered;
    while (!from_server_.empty()) {
      const size_t count = std::min(split_, from_server_.size());
      offered.append(from_server_, 0, count);
      from_server_.erase(0, count);
      const size_t taken = client_.receive_from_server(offered, now_);
      flush_client();
      offered.erase(0, taken);
      if (!client_.has_server()) break;
    }
    return true;
  }
  static std::string drain(Outbox& outbox) {
    std::string all;
    while (!outbox.empty()) {
      const std::string_view front = outbox.front();
      all.append(front);
      outbox.sent(front.size());
    }
    return all;
  }
  void flush_client() { to_client_.append(drain(client_.to_client())); }

  size_t split_;
  SeededRandom random_{1};
  PreparedStatementStore store_;
  FakeResolver resolver_;
  bool private_names_;
  std::unique_ptr<ServerFsm> server_;
  Outbox to_server_;
  ClientFsm client_;
  std::string from_client_;
  std::string to_server_bytes_;
  std::string from_server_;
  std::string to_client_;
  MonotonicTime now_{};
  bool is_lost_ = false;
};

}  // namespace partywall::sql::testing
