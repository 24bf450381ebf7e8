#include "sql/door/session.h"

#include "base/log.h"
#include "net/others_first.h"
#include "sql/door/welcome.h"
#include "sql/door_errors.h"

namespace partywall::sql {
namespace {
// So often it goes round before other sessions have their turn.
constexpr int kMaxTurns = 16;
constexpr size_t kReadSize = 4096;
constexpr size_t kKeptCapacity = 8 * 1024;

void release_if_large(ByteBuffer& buffer) {
  if (buffer.empty() && buffer.capacity() > kKeptCapacity) buffer.release();
}

}  // namespace

Session::Session(DoorWorker& worker, AdmittedClient client, const Settings& told)
    : worker_(worker),
      wake_(worker.loop()),
      drain_watch_(worker.drain_signal(), wake_),
      timer_(worker.loop().timers(), wake_),
      connected_at_(worker.loop().now()),
      admission_(std::move(client.admission)),
      resolver_([&worker] { return worker.authority(); }, admission_.login_class, admission_.cell,
                [this](TenantId id) { return objection_to_going_on(id); }),
      fsm_(identity(worker, admission_, told), worker.settings().clients, worker.statements(),
           resolver_),
      cancel_key_(worker.clients_here().add(*this)),
      lease_(wake_),
      client_(std::move(client.stream)) {
  carry_.append(client.unread);
  append_welcome(fsm_.to_client().tail(), told, cancel_key_);
}

Session::~Session() { worker_.clients_here().remove(cancel_key_); }

ClientIdentity Session::identity(DoorWorker& worker, const Admission& admission,
                                 const Settings& told) {
  return {.serial = worker.next_serial(),
          .scope = admission.tenant ? TransactionScope::bound_to(*admission.tenant)
                                    : TransactionScope::open(admission.session_tenant),
          .without_tenant = worker.settings().without_tenant,
          .settings = admission.settings,
          .told = told};
}

net::Task<> Session::run() {
  while (true) {
    int turns = 0;
    while (step()) {
      if (++turns < kMaxTurns) continue;
      co_await net::others_first(worker_.loop());
      turns = 0;
    }
    if (is_over()) break;
    arm();
    co_await wake_.wait();
  }
  end();
}

bool Session::step() {
  look_at_end();
  look_at_time();
  flush_server();  // what did not fit before
  bool moved = look_after_lease();
  moved |= read_client();
  moved |= offer_carry();
  moved |= read_server();
  moved |= release_server();
  look_at_cancel();
  flush_client();
  return moved && !is_over();
}

bool Session::wants_client_bytes() const {
  const DoorSettings& settings = worker_.settings();
  if (client_is_gone_ || fsm_.is_finished()) return false;
  if (carry_.size() > settings.clients.max_statement_bytes + kReadSize) return false;
  const auto& server = lease_.connection();
  return fsm_.unsent_to_client() <= settings.max_unsent_bytes &&
         (!server || server->out.size() <= settings.max_unsent_bytes);
}

bool Session::read_client() {
  if (!wants_client_bytes() || client_->awaits_input()) return false;
  const bool direct = carry_.empty();
  const std::span<char> space = direct ? worker_.loop().scratch() : carry_.prepare(kReadSize);
  const net::IoResult result = client_->read(space);
  if (result.would_block()) return false;
  if (result.closed()) {
    client_is_gone_ = true;
    return false;
  }
  if (!direct) {
    carry_.commit(result.bytes);  // offered next
    return true;
  }
  const std::string_view bytes(space.data(), result.bytes);
  carry_.append(bytes.substr(feed(bytes)));
  return true;
}

bool Session::offer_carry() {
  if (carry_.empty()) return false;
  const size_t taken = feed(carry_.view());
  carry_.consume(taken);
  release_if_large(carry_);
  return taken > 0;
}

// Afterwards nothing points into `bytes` any more.
size_t Session::feed(std::string_view bytes) {
  if (must_hold_client()) return 0;
  size_t taken = 0;
  do {
    taken += fsm_.receive_from_client(bytes.substr(taken), worker_.loop().now());
    flush_server();
    flush_client();
  } while (fsm_.wanted() && look_after_lease());
  return taken;
}

// A cancel is on its way to the server: what comes next must not be hit by it.
bool Session::must_hold_client() const {
  return lease_.connection() && lease_.connection()->cancels_under_way > 0 &&
         fsm_.is_between_sections();
}

bool Session::wants_server_bytes() const {
  return lease_.connection() && fsm_.has_server() &&
         fsm_.unsent_to_client() <= worker_.settings().max_unsent_bytes;
}

bool Session::read_server() {
  const std::shared_ptr<ServerConnection> server = lease_.connection();
  if (!wants_server_bytes() || server->stream->awaits_input()) return false;
  const bool direct = server->carry.empty();
  const std::span<char> space =
      direct ? worker_.loop().scratch() : server->carry.prepare(kReadSize);
  const net::IoResult result = server->stream->read(space);
  if (result.would_block()) return false;
  if (result.closed()) {
    lose_server();
    return true;
  }
  if (!direct) server->carry.commit(result.bytes);
  const std::string_view bytes =
      direct ? std::string_view(space.data(), result.bytes) : server->carry.view();
  const size_t taken = fsm_.receive_from_server(bytes, worker_.loop().now());
  flush_client();
  if (direct) {
    server->carry.append(bytes.substr(taken));
  } else {
    server->carry.consume(taken);
  }
  release_if_large(server->carry);
  account();
  if (!fsm_.busy_since()) cancel_sent_.reset();
  if (!fsm_.has_server()) {  // it broke the rules, or failed a request of the door
    server->is_doomed = true;
    lease_.release();
  }
  return true;
}

void Session::lose_server() {
  fsm_.stop_counting_time(worker_.loop().now());
  lease_.connection()->is_doomed = true;
  fsm_.on_server_closed();
  lease_.release();
}

bool Session::look_after_lease() {
  if (auto refusal = lease_.take_refusal()) {
    fsm_.refuse_server(*refusal);
    if (tenant_number_) worker_.meters().add(*tenant_number_, SqlMeter::kRefusals);
    return true;
  }
  if (lease_.connection() && !fsm_.has_server()) {
    const MonotonicTime now = worker_.loop().now();
    if (tenant_number_) {
      worker_.meters().add(*tenant_number_, SqlMeter::kWaitNanoseconds,
                           static_cast<uint64_t>((now - lease_.waiting_since()).count()));
    }
    fsm_.attach(lease_.connection()->fsm, lease_.connection()->out);
    return true;
  }
  if (const auto tenant = fsm_.wanted(); tenant && !lease_.is_waiting()) {
    request_server(*tenant);
    return true;
  }
  return false;
}

void Session::request_server(TenantId id) {
  CellPool::Request request{.tenant = id, .number = TenantNumber(UINT32_MAX)};
  std::string cell = admission_.cell;
  tenant_.reset();
  tenant_number_.reset();
  statement_timeout_ = Duration::max();
  fsm_.note_slower_than(Duration::max());
  if (id != TenantId()) {
    // It may have been suspended or moved since the last transaction.
    const Tenant* tenant = worker_.directory()->find_tenant(id);
    const auto refusal = tenant ? objection(*tenant) : errors::unknown_tenant();
    if (refusal) {
      fsm_.refuse_server(*refusal);
      return;
    }
    cell = tenant->cell;
    tenant_ = id;
    tenant_number_ = tenant->number;
    statement_timeout_ = tenant->limits.statement_timeout;
    max_cpu_time_ = tenant->limits.max_cpu_time;
    fsm_.note_slower_than(worker_.settings().slow.of(tenant->tier));
    request.number = tenant->number;
    const bool is_over_budget =
        worker_.time_of(tenant->number).wait(worker_.loop().now()) > Duration(0);
    request.weight = is_over_budget ? 1 : tenant->weight;
    if (is_over_budget) worker_.meters().add(tenant->number, SqlMeter::kOverBudget);
    request.max_connections = tenant->limits.max_db_connections;
  }
  pool_ = worker_.find_pool(cell);
  if (!pool_) {
    fsm_.refuse_server(errors::cannot_connect(cell));
    return;
  }
  pool_->request(lease_, request);
}

// Over the grant of a window it comes last; what is refused is what would go over twice that.
std::optional<SqlError> Session::objection(const Tenant& tenant) const {
  if (!is_served(tenant.status)) return errors::tenant_not_served(tenant.slug);
  const Duration wait = worker_.time_of(tenant.number).wait(worker_.loop().now());
  if (wait <= kSqlTimeWindow) return std::nullopt;
  worker_.meters().add(tenant.number, SqlMeter::kBudgetRefusals);
  return errors::time_used_up(tenant.slug, tenant.limits.max_cpu_time, wait - kSqlTimeWindow);
}

// It keeps its server connection from one transaction to the next: the directory may have changed.
std::optional<SqlError> Session::objection_to_going_on(TenantId id) {
  const Tenant* tenant = worker_.directory()->find_tenant(id);
  if (!tenant) return errors::unknown_tenant();
  if (pool_ && tenant->cell != pool_->name())
    return errors::tenant_elsewhere(tenant->slug, pool_->name());
  statement_timeout_ = tenant->limits.statement_timeout;
  max_cpu_time_ = tenant->limits.max_cpu_time;
  return objection(*tenant);
}

bool Session::release_server() {
  if (fsm_.is_pinned() != was_pinned_) {
    was_pinned_ = fsm_.is_pinned();
    worker_.count_pinned(was_pinned_ ? 1 : -1);
  }
  if (!fsm_.has_server() || !fsm_.may_release()) return false;
  fsm_.detach();
  cancel_sent_.reset();
  lease_.release();
  return true;
}

void Session::flush_client() {
  Outbox& out = fsm_.to_client();
  while (!client_is_gone_ && !out.empty()) {
    const net::IoResult result = client_->write(out.front());
    if (result.would_block()) break;
    if (result.closed()) {
      client_is_gone_ = true;
      break;
    }
    out.sent(result.bytes);
  }
  out.keep();
}

void Session::flush_server() {
  const auto& server = lease_.connection();
  if (!server) return;
  while (!server->out.empty()) {
    const net::IoResult result = server->stream->write(server->out.front());
    if (!result.ok()) break;  // a connection that is gone says so when it is read
    server->out.sent(result.bytes);
  }
  server->out.keep();
}

void Session::account() {
  SessionProgress progress = fsm_.take_progress();
  if (!tenant_number_) return;
  auto& row = worker_.meters().row(*tenant_number_);
  const auto add = [&row](SqlMeter meter, uint64_t amount) {
    if (amount > 0) row[std::to_underlying(meter)].add(amount);
  };
  add(SqlMeter::kStatements, progress.statements);
  add(SqlMeter::kTransactions, progress.transactions);
  add(SqlMeter::kErrors, progress.errors);
  add(SqlMeter::kBusyNanoseconds, static_cast<uint64_t>(progress.busy.count()));
  if (progress.slow) {
    if (const Tenant* tenant = worker_.directory()->find_tenant(*tenant_))
      worker_.log_slow(*tenant, std::move(*progress.slow));
  }
  worker_.time_of(*tenant_number_).charge(progress.busy, max_cpu_time_, worker_.loop().now());
}

void Session::cancel_statement() {
  if (lease_.is_waiting()) {
    lease_.release();
    fsm_.refuse_server(errors::cancelled_while_waiting());
  } else if (lease_.connection() && (!fsm_.has_server() || !fsm_.is_between_sections())) {
    cancel_wanted_ = true;
  }
  wake_.set();
}

void Session::end_by_operator() {
  is_killed_ = true;
  wake_.set();
}

ClientInfo Session::describe() const {
  ClientInfo info{.user = admission_.user,
                  .cell = admission_.cell,
                  .tenant = admission_.tenant,
                  .state = "idle",
                  .state_since = {},
                  .connected_at = connected_at_,
                  .server_pid = {},
                  .is_pinned = fsm_.is_pinned(),
                  .peer = client_->peer(),
                  .application_name = {}};
  const auto& server = lease_.connection();
  if (!info.tenant && (server || lease_.is_waiting())) info.tenant = tenant_;
  if (server) info.server_pid = server->fsm.info().key.pid;
  if (lease_.is_waiting()) {
    info.state = "waiting";
    info.state_since = lease_.waiting_since();
  } else if (const auto busy_since = fsm_.busy_since()) {
    info.state = "active";
    info.state_since = busy_since;
  } else if (const auto idle_since = fsm_.idle_in_transaction_since()) {
    info.state = "idle in transaction";
    info.state_since = idle_since;
  }
  if (fsm_.settings()) {
    if (const std::string* name = fsm_.settings()->find("application_name"))
      info.application_name = *name;
  }
  return info;
}

// Passes the client's cancel on while the server works on what the client asked for: not on a
// request of the door's own in front of that (enter must not fail because of a client), one at a
// time, and not too often, because each is a connection to PostgreSQL.
void Session::look_at_cancel() {
  if (!cancel_wanted_) return;
  const auto& server = lease_.connection();
  if (!server || !fsm_.has_server() || fsm_.is_between_sections()) {
    cancel_wanted_ = false;  // what it was for has ended
    return;
  }
  if (!may_cancel() || worker_.loop().now() < next_cancel_) return;
  cancel_wanted_ = false;
  if (fsm_.interrupt_copy(errors::cancelled_by_client())) return;
  next_cancel_ = worker_.loop().now() + worker_.settings().cancel_spacing;
  pool_->cancel(server);
}

bool Session::may_cancel() const {
  const auto& server = lease_.connection();
  return server->cancels_under_way == 0 && server->is_usable() &&
         !server->fsm.is_serving_own_request();
}

bool Session::is_over() const {
  return client_is_gone_ || (fsm_.is_finished() && fsm_.unsent_to_client() == 0);
}

void Session::arm() {
  if (wants_client_bytes() && !client_->awaits_input()) client_->arm_read(wake_);
  if (fsm_.unsent_to_client() > 0) client_->arm_write(wake_);
  const auto& server = lease_.connection();
  if (server) {
    if (wants_server_bytes() && !server->stream->awaits_input()) server->stream->arm_read(wake_);
    if (!server->out.empty()) server->stream->arm_write(wake_);
    if (server->cancels_under_way > 0) server->cancels_ended.arm(wake_);
  }
  arm_timer();
}

// What was under way is stopped; what is left on the connection is the pool's to clean.
void Session::end() {
  fsm_.stop_counting_time(worker_.loop().now());
  account();
  if (was_pinned_) worker_.count_pinned(-1);
  const std::shared_ptr<ServerConnection> server = lease_.connection();
  if (server) {
    if (!server->fsm.is_quiet() && server->is_usable()) pool_->cancel(server);
    if (fsm_.has_server() && fsm_.is_pinned()) server->fsm.soil();
    if (!server->out.empty()) server->is_doomed = true;
    fsm_.detach();
  }
  lease_.release();
  client_->close();
}

}  // namespace partywall::sql
