#include "sql/door/console_session.h"

#include <csignal>

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "net/event.h"
#include "net/timer.h"
#include "sql/console/console_fsm.h"
#include "sql/door/console_rows.h"
#include "sql/door/door_worker.h"
#include "sql/door/welcome.h"
#include "sql/door_errors.h"

namespace partywall::sql {
namespace {

constexpr size_t kReadSize = 4096;
constexpr Duration kWriteTimeout = seconds(10);  // for one answer
constexpr Duration kPausePollSpacing = milliseconds(20);

SqlError undefined(std::string message) {
  return {.sqlstate = sqlstate::kUndefinedObject, .message = std::move(message), .hint = {}};
}

class ConsoleSession final : private ConnectedClient {
 public:
  ConsoleSession(DoorWorker& worker, AdmittedClient client)
      : worker_(worker),
        wake_(worker.loop()),
        drain_watch_(worker.drain_signal(), wake_),
        stream_(std::move(client.stream)),
        user_(std::move(client.admission.user)),
        unread_(std::move(client.unread)),
        connected_at_(worker.loop().now()),
        fsm_(*client.admission.console),
        key_(worker.clients_here().add(*this)) {}
  ~ConsoleSession() override { worker_.clients_here().remove(key_); }
  ConsoleSession(const ConsoleSession&) = delete;
  ConsoleSession& operator=(const ConsoleSession&) = delete;

  net::Task<> run() {
    std::string out = welcome();
    while (true) {
      std::string_view input = unread_;
      fsm_.receive(input, out);
      unread_.erase(0, unread_.size() - input.size());
      const bool has_command = fsm_.wanted().has_value();
      if (has_command) {
        is_cancelled_ = false;
        fsm_.answer(co_await carry_out(*fsm_.wanted()), out);
      }
      if (must_end()) append_error(out, last_words());
      if (!out.empty() && !co_await net::write_all(worker_.loop(), *stream_, out, kWriteTimeout))
        break;
      out.clear();
      if (fsm_.is_finished() || must_end()) break;
      if (has_command) continue;  // there may be another one behind it
      if (!read_client()) break;
      if (!has_read_) co_await wake_.wait();
    }
  }

 private:
  void cancel_statement() override {
    is_cancelled_ = true;
    wake_.set();
  }
  void end_by_operator() override {
    is_killed_ = true;
    wake_.set();
  }
  [[nodiscard]] ClientInfo describe() const override {
    return {.user = user_,
            .cell = {},
            .tenant = {},
            .state = "console",
            .state_since = {},
            .connected_at = connected_at_,
            .server_pid = {},
            .is_pinned = false,
            .peer = stream_->peer(),
            .application_name = {}};
  }

  // What drivers look at.
  [[nodiscard]] std::string welcome() const {
    Settings told;
    told.set("server_version", fmt::format("{}/partywall", version()));
    told.set("client_encoding", "UTF8");
    told.set("server_encoding", "UTF8");
    told.set("DateStyle", "ISO");
    told.set("TimeZone", "GMT");
    told.set("standard_conforming_strings", "on");
    told.set("integer_datetimes", "on");
    std::string out;
    append_welcome(out, told, key_);
    return out;
  }

  [[nodiscard]] bool must_end() const { return is_killed_ || worker_.drain_signal().requested(); }
  [[nodiscard]] SqlError last_words() const {
    SqlError words = is_killed_ ? errors::ended_by_operator() : errors::shutting_down();
    words.severity = Severity::kFatal;
    return words;
  }

  // Takes what has come; if that is nothing, the event is armed. False: the client is gone.
  bool read_client() {
    has_read_ = false;
    if (stream_->awaits_input()) {
      stream_->arm_read(wake_);
      return true;
    }
    std::array<char, kReadSize> buffer;
    const net::IoResult result = stream_->read(buffer);
    if (result.would_block()) {
      stream_->arm_read(wake_);
      return true;
    }
    if (!result.ok()) return false;
    unread_.append(buffer.data(), result.bytes);
    has_read_ = true;
    return true;
  }

  net::Task<ConsoleAnswer> carry_out(ConsoleCommand command) {
    if (command.shows()) {
      ConsoleAnswer answer;
      answer.rows = co_await collect_rows(worker_, command.view);
      co_return answer;
    }
    ConsoleAnswer answer = co_await operate(command);
    log_info(
        "a command at the console of the sql door",
        {{"user", user_},
         {"client", stream_->peer().endpoint.to_string()},
         {"command", command.tag},
         {"subject", command.action == ConsoleAction::kKillClient ? std::to_string(command.client)
                                                                  : command.subject},
         {"outcome", answer.error ? answer.error->message : "done"}});
    co_return answer;
  }

  net::Task<ConsoleAnswer> operate(const ConsoleCommand& command) {
    switch (command.action) {
      case ConsoleAction::kPause:
        co_return co_await pause(command.subject);
      case ConsoleAction::kResume:
        co_return co_await change_pools(command.subject, &DoorWorker::resume);
      case ConsoleAction::kReconnect:
        co_return co_await change_pools(command.subject, &DoorWorker::reconnect);
      case ConsoleAction::kKillTenant:
        co_return co_await kill_tenant(command.subject);
      case ConsoleAction::kKillClient:
        co_return co_await kill_client(command.client);
      case ConsoleAction::kReload:
        ::kill(::getpid(), SIGHUP);  // one way to reload: whoever waits for the signal does it
        co_return ConsoleAnswer{};
      default:
        co_return ConsoleAnswer{};
    }
  }

  [[nodiscard]] std::optional<SqlError> check_cell(const std::string& name) const {
    if (name.empty()) return std::nullopt;
    const Cell* cell = worker_.directory()->find_cell(name);
    if (cell && !cell->sql.database.empty()) return std::nullopt;
    std::vector<std::string_view> known;
    for (const Cell& one : worker_.directory()->cells()) {
      if (!one.sql.database.empty()) known.push_back(one.name);
    }
    return undefined(fmt::format("there is no cell '{}'{}", name, suggestion(name, known)));
  }

  net::Task<> visit_all(std::function<void(DoorWorker&)> what) {
    for (size_t index = 0; index < worker_.workers(); ++index) co_await worker_.visit(index, what);
  }

  net::Task<ConsoleAnswer> change_pools(std::string cell,
                                        void (DoorWorker::*change)(const std::string&)) {
    if (auto error = check_cell(cell)) co_return ConsoleAnswer{std::move(error), {}};
    co_await visit_all([&](DoorWorker& worker) { (worker.*change)(cell); });
    co_return ConsoleAnswer{};
  }

  net::Task<ConsoleAnswer> pause(std::string cell) {
    if (auto error = check_cell(cell)) co_return ConsoleAnswer{std::move(error), {}};
    net::Timer timer(worker_.loop().timers(), wake_);
    while (true) {
      uint32_t open = 0;
      co_await visit_all([&](DoorWorker& worker) {
        worker.pause(cell);  // again: closes what has become idle
        worker.for_each_pool([&](const std::string& name, const CellPool& pool) {
          if (cell.empty() || name == cell) open += pool.gauges().open;
        });
      });
      if (open == 0) co_return ConsoleAnswer{};
      timer.arm(worker_.loop().now() + kPausePollSpacing);
      while (!timer.fired() && !is_cancelled_ && !must_end()) {
        const bool may_read = unread_.size() <= kReadSize;
        if (may_read && !read_client()) is_cancelled_ = true;
        if (!is_cancelled_ && !(may_read && has_read_)) co_await wake_.wait();
      }
      if (!is_cancelled_ && !must_end()) continue;
      co_await visit_all([&](DoorWorker& worker) { worker.resume(cell); });
      co_return ConsoleAnswer{errors::pause_cancelled(), {}};
    }
  }

  net::Task<ConsoleAnswer> kill_tenant(std::string slug) {
    const Tenant* tenant = worker_.directory()->find_tenant_by_slug(slug);
    if (!tenant)
      co_return ConsoleAnswer{undefined(fmt::format("there is no tenant '{}'", slug)), {}};
    const TenantId id = tenant->id;
    co_await visit_all([id](DoorWorker& worker) {
      worker.clients_here().for_each([id](uint32_t, ConnectedClient& client) {
        if (client.describe().tenant == id) client.end_by_operator();
      });
    });
    co_return ConsoleAnswer{};
  }

  net::Task<ConsoleAnswer> kill_client(uint32_t id) {
    bool is_there = false;
    if (const size_t index = ClientRegistry::worker_of(id); index < worker_.workers()) {
      co_await worker_.visit(index, [id, &is_there](DoorWorker& worker) {
        ConnectedClient* client = worker.clients_here().find(id);
        is_there = client != nullptr;
        if (client) client->end_by_operator();
      });
    }
    if (!is_there) co_return ConsoleAnswer{undefined(fmt::format("there is no client {}", id)), {}};
    co_return ConsoleAnswer{};
  }

  DoorWorker& worker_;
  net::Event wake_;
  net::Drain::Watch drain_watch_;
  std::unique_ptr<net::Stream> stream_;
  const std::string user_;
  std::string unread_;
  const MonotonicTime connected_at_;
  ConsoleFsm fsm_;
  CancelRequest key_;
  bool has_read_ = false;
  bool is_cancelled_ = false;
  bool is_killed_ = false;
};

}  // namespace

net::Task<> serve_console(DoorWorker& worker, AdmittedClient client) {
  const auto slot = worker.take_console_slot();
  if (!slot) {
    std::string words;
    append_error(words, errors::too_many_clients());
    client.stream->write(words);
    co_return;
  }
  ConsoleSession session(worker, std::move(client));
  co_await session.run();
}

}  // namespace partywall::sql
