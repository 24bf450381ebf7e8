#include "sql/door/door_worker.h"

#include <algorithm>
#include <bit>

#include "base/log.h"
#include "cluster/limit_store.h"
#include "net/timer.h"
#include "sql/door/client_login.h"
#include "sql/door/console_session.h"
#include "sql/door/migration_session.h"
#include "sql/door/session.h"
#include "sql/door_errors.h"

namespace partywall::sql {
namespace {

bool same_backend(const SqlBackend& a, const SqlBackend& b) {
  return a.endpoint == b.endpoint && a.database == b.database && a.slots.prefix == b.slots.prefix &&
         a.slots.count == b.slots.count && a.slots.password.equals(b.slots.password.reveal()) &&
         a.register_key.equals(b.register_key.reveal()) && a.register_key_id == b.register_key_id &&
         a.provisioner_role == b.provisioner_role &&
         a.provisioner_password.equals(b.provisioner_password.reveal());
}

void say_last(AdmittedClient& client, const SqlError& error) {
  std::string words;
  append_error(words, error);
  client.stream->write(words);
}

net::Task<> ignore_outcome(net::Task<bool> task) { co_await std::move(task); }

}  // namespace

DoorWorker::DoorWorker(net::Loop& loop, unsigned index, DoorShared& shared,
                       std::unique_ptr<net::TlsContext> tls)
    : loop_(loop),
      index_(index),
      shared_(shared),
      tls_(std::move(tls)),
      clients_here_(index, shared.random),
      sessions_(loop),
      pool_tasks_(loop),
      desk_(open_desk(shared.limits, shared.tenants, loop)),
      pool_context_{
          .loop = loop,
          .scope = pool_tasks_,
          .limits = *desk_,
          .random = shared.random,
          .drain = pool_drain_,
          .settings = shared.settings.pool,
          .on_units_released = [this] { wake_other_workers(); },
          .on_waiting = [this] { note_waiting(); },
          .on_ran_on = [this](TenantId id, Duration ran) { charge_what_ran_on(id, ran); },
          .repair_slot = [this](const CellPool& pool,
                                SlotRepair repair) { repair_slot(pool, std::move(repair)); }} {}

DoorWorker::~DoorWorker() = default;

void DoorWorker::start() { pool_tasks_.spawn(tick_regularly()); }

net::Task<> DoorWorker::stop() {
  drain_.request_close();
  co_await sessions_.join();
  for (const auto& [cell, pool] : pools_) pool->close();
  pool_drain_.request_close();
  co_await pool_tasks_.join();
  repairs_.clear();
  pools_.clear();
  retired_pools_.clear();
}

LoginAuthority DoorWorker::authority() const {
  return {directory_, jwt_, loop_.time().wall(), settings().console};
}

void DoorWorker::spawn(net::Task<bool> task) { sessions_.spawn(ignore_outcome(std::move(task))); }

// --- Clients

void DoorWorker::accept(std::unique_ptr<net::Stream> stream) {
  if (drain_.requested()) return;
  if (clients() >= settings().max_clients) {
    counters_.refused_clients.add();
    std::string words;
    append_error(words, errors::too_many_clients());
    stream->write(words);
    return;
  }
  sessions_.spawn(serve(std::move(stream)));
}

net::Task<> DoorWorker::serve(std::unique_ptr<net::Stream> stream) {
  clients_.fetch_add(1, std::memory_order_relaxed);
  auto admitted = co_await log_in(std::move(stream));
  if (admitted) {
    counters_.logins.add();
    DoorWorker& owner = owner_of(admitted->admission);
    if (&owner == this) {
      co_await serve_admitted(std::move(*admitted));
    } else {
      hand_over(std::move(*admitted), owner);
    }
  }
  clients_.fetch_sub(1, std::memory_order_relaxed);
}

net::Task<std::optional<AdmittedClient>> DoorWorker::log_in(std::unique_ptr<net::Stream> stream) {
  ClientLogin login(
      loop_, std::move(stream), tls_.get(), settings(), [this] { return authority(); },
      shared_.random);
  switch (co_await login.run()) {
    case ClientLoginFsm::Action::kAdmitted:
      co_return login.take();
    case ClientLoginFsm::Action::kCancel:
      counters_.cancels.add();
      co_await route_cancel(login.cancel_request());
      break;
    default:
      counters_.failed_logins.add();
  }
  co_return std::nullopt;
}

// The client that asks closes its connection when we do: by then the session knows.
net::Task<> DoorWorker::route_cancel(CancelRequest key) {
  const unsigned index = ClientRegistry::worker_of(key.pid);
  if (index >= workers()) co_return;
  co_await visit(index, [key](DoorWorker& owner) { owner.clients_here_.cancel(key); });
}

net::Task<> DoorWorker::visit(size_t index, std::function<void(DoorWorker&)> what) {
  DoorWorker& owner = *shared_.workers[index];
  net::Event done(loop_);
  owner.loop_.post([this, &owner, &done, &what] {
    what(owner);
    loop_.post([&done] { done.set(); });
  });
  co_await done.wait();
}

// A tenant's bound connections are all on one worker, so that its pool, its queue and the affinity
// of its server connections are in one place.
DoorWorker& DoorWorker::owner_of(const Admission& admission) {
  if (admission.login_class != LoginClass::kBound || !admission.tenant) return *this;
  const size_t hash =
      std::hash<TenantId>()(*admission.tenant) ^ std::hash<std::string>()(admission.cell);
  return *shared_.workers[hash % shared_.workers.size()];
}

void DoorWorker::hand_over(AdmittedClient client, DoorWorker& owner) {
  client.stream->leave();
  owner.loop_.post([&owner, client = std::move(client)]() mutable {
    if (owner.drain_.requested()) return;
    client.stream->join(owner.loop_);
    owner.sessions_.spawn(owner.serve_counted(std::move(client)));
  });
}

net::Task<> DoorWorker::serve_counted(AdmittedClient client) {
  clients_.fetch_add(1, std::memory_order_relaxed);
  co_await serve_admitted(std::move(client));
  clients_.fetch_sub(1, std::memory_order_relaxed);
}

// nullptr: the login is not bound to one, or it has left the directory meanwhile.
const Tenant* DoorWorker::bound_tenant(const Admission& admission) const {
  if (admission.login_class != LoginClass::kBound || !admission.tenant) return nullptr;
  return directory_->find_tenant(*admission.tenant);
}

net::Task<> DoorWorker::serve_admitted(AdmittedClient client) {
  if (client.admission.console) {
    co_await serve_console(*this, std::move(client));
    co_return;
  }
  if (client.admission.login_class == LoginClass::kMigration) {
    co_await serve_migration(*this, std::move(client));
    co_return;
  }
  std::optional<ClientSeats::Units> seat;
  if (const Tenant* tenant = bound_tenant(client.admission)) {
    seat = shared_.seats.take(tenant->number);
    if (!seat) {
      counters_.refused_clients.add();
      say_last(client, errors::too_many_clients_of(tenant->slug, shared_.seats.limit()));
      co_return;
    }
  }
  auto told = co_await what_to_tell(client.admission);
  if (!told) {
    say_last(client, errors::cannot_connect(client.admission.cell));
    co_return;
  }
  auto session = std::make_unique<Session>(*this, std::move(client), *told);
  co_await session->run();
}

// What the server would tell the client at first, with what the client asked for itself.
net::Task<std::optional<Settings>> DoorWorker::what_to_tell(Admission admission) {
  CellPool* pool = find_pool(admission.cell);
  if (pool && !pool->greeting()) {
    net::Event event(loop_);
    net::Timer timer(loop_.timers(), event);
    net::Drain::Watch watch(drain_, event);
    timer.arm(loop_.now() + settings().login_timeout);
    pool->want_greeting(event);
    co_await event.wait();
    pool = find_pool(admission.cell);
  }
  if (!pool || !pool->greeting()) co_return std::nullopt;
  Settings told = *pool->greeting();
  if (admission.settings) {
    for (const auto& [name, value] : admission.settings->entries()) {
      if (find_tracked_setting(name)->reported) told.set(name, value);
    }
  }
  co_return told;
}

// --- Pools

CellPool* DoorWorker::find_pool(const std::string& cell) {
  const auto found = pools_.find(cell);
  return found == pools_.end() ? nullptr : found->second.get();
}

void DoorWorker::set_directory(DirectoryRef directory, std::shared_ptr<const JwtVerifier> jwt) {
  directory_ = std::move(directory);
  jwt_ = std::move(jwt);
  update_pools();
}

void DoorWorker::update_pools() {
  for (auto& [name, pool] : pools_) {
    const Cell* cell = directory_->find_cell(name);
    if (cell && cell->kind == pool->kind() && same_backend(pool->backend(), cell->sql)) continue;
    pool->close();
    retired_pools_.push_back(std::move(pool));
  }
  std::erase_if(pools_, [](const auto& entry) { return entry.second == nullptr; });
  for (const Cell& cell : directory_->cells()) {
    if (cell.sql.database.empty() || pools_.contains(cell.name)) continue;
    // Every worker has its share of the slot roles.
    std::vector<uint32_t> slots;
    for (uint32_t number = 1; number <= cell.sql.slots.count; ++number) {
      if (number % shared_.workers.size() == index_) slots.push_back(number);
    }
    const auto [place, added] = pools_.emplace(
        cell.name, std::make_unique<CellPool>(pool_context_, cell, std::move(slots)));
    if (paused_cells_.contains(cell.name)) place->second->pause();
  }
}

void DoorWorker::for_each_pool(
    const std::function<void(const std::string& cell, CellPool&)>& visit) {
  for (const auto& [cell, pool] : pools_) visit(cell, *pool);
}

void DoorWorker::pause(const std::string& cell) {
  for (const auto& [name, pool] : pools_) {
    if (!cell.empty() && name != cell) continue;
    paused_cells_.insert(name);  // its pool may be made anew
    pool->pause();
  }
}

void DoorWorker::resume(const std::string& cell) {
  if (cell.empty()) {
    paused_cells_.clear();
  } else {
    paused_cells_.erase(cell);
  }
  for (const auto& [name, pool] : pools_) {
    if (pool->is_paused() && !paused_cells_.contains(name)) pool->resume();
  }
}

void DoorWorker::reconnect(const std::string& cell) {
  for (const auto& [name, pool] : pools_) {
    if (cell.empty() || name == cell) pool->reconnect();
  }
}

uint64_t DoorWorker::used(TenantNumber tenant, SqlMeter meter) const {
  uint64_t sum = 0;
  for (const auto& worker : shared_.workers)
    sum += std::as_const(*worker).meters().value(tenant, meter);
  return sum;
}

// Sessions of a tenant that is at its limit of connections may wait on another worker.
void DoorWorker::wake_other_workers() {
  uint64_t waiting = shared_.workers_with_waiting.load(std::memory_order_relaxed);
  waiting &= ~(uint64_t{1} << index_);
  for (; waiting != 0; waiting &= waiting - 1) {
    DoorWorker& other = *shared_.workers[static_cast<size_t>(std::countr_zero(waiting))];
    other.loop_.post([&other] {
      for (const auto& [cell, pool] : other.pools_) pool->serve();
      other.note_waiting();
    });
  }
}

// Sets or clears this worker's bit.
void DoorWorker::note_waiting() {
  const uint64_t bit = uint64_t{1} << index_;
  const bool waiting =
      std::ranges::any_of(pools_, [](const auto& entry) { return entry.second->has_waiting(); });
  if (waiting) {
    shared_.workers_with_waiting.fetch_or(bit, std::memory_order_relaxed);
  } else {
    shared_.workers_with_waiting.fetch_and(~bit, std::memory_order_relaxed);
  }
}

// The answer comes from another thread, and perhaps after stop(): then nobody waits for it.
void DoorWorker::repair_slot(const CellPool& pool, SlotRepair repair) {
  if (!shared_.repair_slot)
    return repair.done(fail(ErrorKind::kUnavailable, "nobody repairs slot roles"));
  const uint64_t id = ++last_repair_;
  repairs_.emplace(id, std::move(repair.done));
  repair.backend = pool.backend();
  repair.done = [this, id](Result<bool> outcome) {
    loop_.post([this, id, outcome = std::move(outcome)] {
      if (auto node = repairs_.extract(id)) node.mapped()(outcome);
    });
  };
  shared_.repair_slot(std::move(repair));
}

// Or a tenant could use the database as much as it likes by leaving in time.
void DoorWorker::charge_what_ran_on(TenantId id, Duration ran) {
  const Tenant* tenant = directory_->find_tenant(id);
  if (!tenant) return;
  meters_.add(tenant->number, SqlMeter::kBusyNanoseconds, static_cast<uint64_t>(ran.count()));
  time_of(tenant->number).charge(ran, tenant->limits.max_cpu_time, loop_.now());
}

void DoorWorker::log_slow(const Tenant& tenant, SlowStatement statement) {
  meters_.add(tenant.number, SqlMeter::kSlow);
  if (!shared_.slow_log) return;
  SlowLog::Entry entry{.number = tenant.number,
                       .tenant = tenant.slug,
                       .cell = tenant.cell,
                       .statement = std::move(statement)};
  if (!shared_.slow_log->submit(std::move(entry), loop_.now())) counters_.slow_dropped.add();
}

net::Task<> DoorWorker::tick_regularly() {
  net::Event event(loop_);
  net::Drain::Watch watch(pool_drain_, event);
  net::Timer timer(loop_.timers(), event);
  while (!pool_drain_.must_close()) {
    timer.arm(loop_.now() + seconds(1));
    co_await event.wait();
    for (const auto& [cell, pool] : pools_) pool->tick();
    std::erase_if(retired_pools_, [](const auto& pool) { return pool->is_unused(); });
    sample_pools();
  }
}

void DoorWorker::sample_pools() {
  std::vector<PoolSample> samples;
  for (const auto& [cell, pool] : pools_)
    samples.push_back({cell, pool->gauges(), pool->counters()});
  const std::lock_guard lock(samples_mutex_);
  samples_ = std::move(samples);
}

std::vector<DoorWorker::PoolSample> DoorWorker::pool_samples() const {
  const std::lock_guard lock(samples_mutex_);
  return samples_;
}

}  // namespace partywall::sql
