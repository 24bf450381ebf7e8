#include "sql/simulated_postgres.h"

#include "net/event.h"
#include "net/timer.h"
#include "sql/register_token.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/message.h"
#include "sql/wire/sql_error.h"
#include "sql/wire/startup.h"

namespace partywall::sql::testing {

SimulatedPostgres::SimulatedPostgres(test::SimulatedLoop& loop, Endpoint endpoint)
    : loop_(loop), scope_(loop) {
  loop.listen(endpoint, [this](std::unique_ptr<net::Stream> stream) {
    scope_.spawn(serve(std::move(stream)));
  });
}

SimulatedPostgres::~SimulatedPostgres() = default;

net::Task<> SimulatedPostgres::stop() {
  drain_.request_close();
  co_await scope_.join();
}

net::Task<> SimulatedPostgres::serve(std::unique_ptr<net::Stream> stream) {
  constexpr Duration kPatience = seconds(1000);
  std::string unread;
  std::array<char, 512> buffer;
  while (true) {
    const auto packet = read_startup_packet(unread);
    if (!packet) {
      const auto count = co_await net::read_some(loop_, *stream, buffer, kPatience);
      if (!count) co_return;
      unread.append(buffer.data(), *count);
      continue;
    }
    if (const auto* request = std::get_if<CancelRequest>(&packet->packet)) {
      co_await cancel(std::move(stream), request->pid);
      co_return;
    }
    const auto& request = std::get<StartupRequest>(packet->packet);
    unread.erase(0, packet->consumed);
    std::string out;
    Backend backend;
    backend.role = request.user;
    if (roles_with_another_password.contains(request.user)) {
      append_error(out, {sqlstate::kInvalidPassword, "password authentication failed", "",
                         Severity::kFatal});
      co_await net::write_all(loop_, *stream, out, kPatience);
      co_return;
    }
    if (refuses_logins || roles_[backend.role] > 0) {
      append_error(out, {sqlstate::kTooManyConnections, "too many connections for role", "",
                         Severity::kFatal});
      co_await net::write_all(loop_, *stream, out, kPatience);
      co_return;
    }
    const uint32_t pid = ++last_pid_;
    // As partywall.enter() reads it; the MAC is the business of a real PostgreSQL.
    backend.postgres.check_token = [pid](const std::string& token) -> std::optional<std::string> {
      if (token.size() != kRegisterTokenLength ||
          load_u32(std::string_view(token).substr(28)) != pid)
        return std::nullopt;
      return fmt::format("tenant {}", load_u32(std::string_view(token).substr(16)));
    };
    MessageWriter(out, 'R').u32(0);
    append_parameter_status(out, "client_encoding", "UTF8");
    append_parameter_status(out, "TimeZone", "UTC");
    append_backend_key_data(out, pid, 1);
    append_ready_for_query(out, TransactionStatus::kIdle);
    ++connections_;
    ++logins_;
    most_of_a_role_ = std::max(most_of_a_role_, ++roles_[backend.role]);
    backends_[pid] = &backend;
    if (co_await net::write_all(loop_, *stream, out, kPatience))
      co_await talk(*stream, backend, std::move(unread));
    backends_.erase(pid);
    --roles_[backend.role];
    --connections_;
    co_return;
  }
}

net::Task<> SimulatedPostgres::cancel(std::unique_ptr<net::Stream> stream, uint32_t pid) {
  if (cancel_delay > Duration(0)) {
    net::Event event(loop_);
    net::Timer timer(loop_.timers(), event);
    timer.arm(loop_.now() + cancel_delay);
    co_await event.wait();
  }
  ++cancels_;
  const auto found = backends_.find(pid);
  if (found != backends_.end() && !ignores_cancels) {
    found->second->is_cancelled = true;
    if (found->second->wake) found->second->wake->set();
  }
  stream->close();
}

void SimulatedPostgres::wake_up() {
  for (const auto& [pid, backend] : backends_) {
    backend->is_woken = true;
    if (backend->wake) backend->wake->set();
  }
}

void SimulatedPostgres::set_silent(bool silent) {
  is_silent_ = silent;
  for (const auto& [pid, backend] : backends_) {
    if (backend->wake) backend->wake->set();
  }
}

net::Task<> SimulatedPostgres::talk(net::Stream& stream, Backend& backend, std::string unread) {
  net::Event wake(loop_);
  net::Drain::Watch watch(drain_, wake);
  backend.wake = &wake;
  std::string out = backend.postgres.receive(unread);
  while (!drain_.must_close()) {
    if (std::exchange(backend.is_cancelled, false)) out += backend.postgres.cancel();
    if (std::exchange(backend.is_woken, false)) out += backend.postgres.wake_up();
    while (!out.empty() && !is_silent_) {
      const auto written = stream.write(out);
      if (written.would_block()) break;
      if (written.closed()) co_return;
      out.erase(0, written.bytes);
    }
    std::array<char, 512> buffer;
    const auto read = stream.read(buffer);
    if (read.closed()) co_return;
    if (read.ok()) {
      out += backend.postgres.receive({buffer.data(), read.bytes});
      continue;
    }
    stream.arm_read(wake);
    if (!out.empty() && !is_silent_) stream.arm_write(wake);
    co_await wake.wait();
  }
}

}  // namespace partywall::sql::testing
