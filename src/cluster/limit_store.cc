#include "cluster/limit_store.h"

#include <condition_variable>
#include <mutex>

#include "base/log.h"
#include "cluster/limit_session.h"
#include "net/scope.h"
#include "net/timer.h"
#include "net/tls.h"
#include "net/worker.h"

namespace partywall {
namespace {

// How long a node that starts waits for the store, before it begins with its shares.
constexpr Duration kStartWait = seconds(1);
// Between two attempts to connect: half of it to the whole. Nodes that can come back after an
// outage must have done so within NodeLedger::kEpochAfterUs.
constexpr Duration kReconnectAfter = milliseconds(400);

constexpr MetricFamily kLiveNodes = {"partywall_limits_live_nodes", MetricType::kGauge,
                                     "Nodes that share the limits of the tenants"};
constexpr MetricFamily kFallback = {
    "partywall_limits_fallback", MetricType::kGauge,
    "1 while the limits store does not answer and the node goes by its share of each limit"};
constexpr MetricFamily kOutages = {"partywall_limits_outages", MetricType::kCounter,
                                   "Times that the connection to the limits store was lost"};
constexpr MetricFamily kCalls = {"partywall_limits_calls", MetricType::kCounter,
                                 "Calls of the limits store"};
constexpr MetricFamily kGranted = {"partywall_limits_granted", MetricType::kCounter,
                                   "Tokens that the limits store lent, slots that it renewed"};
constexpr MetricFamily kReturned = {"partywall_limits_returned", MetricType::kCounter,
                                    "Tokens that were given back unused"};
constexpr MetricFamily kDenied = {"partywall_limits_denied", MetricType::kCounter,
                                  "Calls that got less than was wanted"};

}  // namespace

struct LimitStore::Impl final : LimitAsks {
  Impl(LimitStoreSettings with, TenantStates& tenant_states, const TimeSource& time_source,
       Random& random_source)
      : settings(std::move(with)),
        tenants(tenant_states),
        time(time_source),
        random(random_source),
        life(settings.node + "/" + random.alphanumeric(12)),
        shared(settings.expected_nodes, time.monotonic()),
        book(life, tenants, shared),
        comeback(life),
        threads(1, time),
        loop(threads[0]),
        wake(loop),
        scope(loop) {}

  void ask(const LimitAsk& ask) override;
  void take_asks();
  void deliver_wakes();
  net::Task<> run();
  net::Task<Result<std::unique_ptr<net::Stream>>> connect();
  net::Task<> converse(std::unique_ptr<net::Stream> stream);
  bool exchange(net::Stream& stream, LimitSession& session);
  net::Task<> pause();
  void report(const Error& error);
  void note_opening();

  LimitStoreSettings settings;
  TenantStates& tenants;
  const TimeSource& time;
  Random& random;
  std::string life;
  SharedLimits shared;

  // --- Any thread.
  struct Desk {
    net::Loop* loop = nullptr;
    std::shared_ptr<LimitDesk> desk;
  };
  std::mutex mutex;
  std::condition_variable opened;
  bool is_open = false;
  std::vector<LimitAsk> asks;
  std::vector<Desk> desks;
  Counter outages;

  // --- The agent's thread.
  LeaseBook book;
  StoreReturn comeback;
  net::WorkerGroup threads;
  net::Worker& loop;
  net::Event wake;
  net::TaskScope scope;
  std::unique_ptr<net::TlsContext> tls;
  bool stopping = false;
  bool reported = false;  // the failure that goes on
};

// Called by workers, about once for each lease.
void LimitStore::Impl::ask(const LimitAsk& ask) {
  {
    const std::lock_guard lock(mutex);
    asks.push_back(ask);
    if (asks.size() > 1) return;  // the agent knows
  }
  loop.post([this] { take_asks(); });
}

void LimitStore::Impl::take_asks() {
  std::vector<LimitAsk> taken;
  {
    const std::lock_guard lock(mutex);
    taken.swap(asks);
  }
  for (const LimitAsk& ask : taken) book.ask(ask, loop.now());
  deliver_wakes();
  wake.set();
}

void LimitStore::Impl::deliver_wakes() {
  const std::vector<LeaseBook::Wake> wakes = book.take_wakes();
  if (wakes.empty()) return;
  const std::lock_guard lock(mutex);
  for (const LeaseBook::Wake& one : wakes) {
    const Desk& desk = desks[one.desk];
    desk.loop->post([desk = desk.desk, one] { desk->answered(one.number, one.kind); });
  }
}

net::Task<> LimitStore::Impl::run() {
  while (!stopping) {
    auto stream = co_await connect();
    if (stream) {
      co_await converse(std::move(*stream));
    } else {
      report(stream.error());
    }
    if (!stopping) co_await pause();
  }
}

net::Task<Result<std::unique_ptr<net::Stream>>> LimitStore::Impl::connect() {
  auto stream = co_await loop.connect(settings.endpoint, settings.connect_timeout);
  if (!stream || !tls) co_return stream;
  co_return co_await tls->handshake(loop, std::move(*stream), settings.connect_timeout);
}

net::Task<> LimitStore::Impl::converse(std::unique_ptr<net::Stream> stream) {
  net::Timer timer(loop.timers(), wake);
  LimitSession session(settings.login, book, comeback, shared, loop.now());
  while (!stopping) {
    session.run(loop.now());
    const bool alive = exchange(*stream, session);
    deliver_wakes();
    note_opening();
    if (session.failure() || !alive) break;
    timer.arm(session.deadline(loop.now()));
    co_await wake.wait();
  }
  session.closed(loop.now());
  deliver_wakes();
  if (stopping) co_return;
  outages.add();
  report(session.failure().value_or(
      Error{ErrorKind::kClosed, "the limits store closed the connection"}));
}

// False when the connection is broken.
bool LimitStore::Impl::exchange(net::Stream& stream, LimitSession& session) {
  while (!stream.awaits_input()) {
    const std::span<char> buffer = loop.scratch();
    const net::IoResult result = stream.read(buffer);
    if (result.closed()) return false;
    if (!result.ok()) break;
    session.receive({buffer.data(), result.bytes}, loop.now());
  }
  session.run(loop.now());
  while (!session.output().empty()) {
    const net::IoResult result = stream.write(session.output());
    if (result.closed()) return false;
    if (!result.ok()) break;
    session.sent(result.bytes);
  }
  stream.arm_read(wake);
  if (!session.output().empty()) stream.arm_write(wake);
  return true;
}

net::Task<> LimitStore::Impl::pause() {
  net::Timer timer(loop.timers(), wake);
  const auto half = static_cast<uint64_t>(kReconnectAfter.count() / 2);
  timer.arm(loop.now() + kReconnectAfter / 2 + Duration(random.below(half)));
  while (!timer.fired() && !stopping) co_await wake.wait();
}

// Once for each outage, not for each attempt.
void LimitStore::Impl::report(const Error& error) {
  if (std::exchange(reported, true)) return;
  log_warning("the limits store is away; this node goes by its share of each limit",
              {{"store", settings.endpoint.to_string()},
               {"reason", error.message},
               {"nodes", shared.live_nodes()}});
}

void LimitStore::Impl::note_opening() {
  if (shared.source() != SharedLimits::Source::kStore) return;
  if (std::exchange(reported, false))
    log_info("the limits store is back", {{"store", settings.endpoint.to_string()}});
  const std::lock_guard lock(mutex);
  if (std::exchange(is_open, true)) return;
  opened.notify_all();
}

LimitStore::LimitStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<LimitStore>> LimitStore::start(LimitStoreSettings settings,
                                                      TenantStates& tenants, const TimeSource& time,
                                                      Random& random) {
  auto impl = std::make_unique<Impl>(std::move(settings), tenants, time, random);
  if (impl->settings.tls) {
    auto context = net::TlsContext::client(*impl->settings.tls);
    if (!context) return fail_with_context("the limits store", context.error());
    impl->tls = std::move(*context);
  }
  impl->threads.run_on_each([&](net::Worker&) { impl->scope.spawn(impl->run()); });
  {
    std::unique_lock lock(impl->mutex);
    impl->opened.wait_for(lock, kStartWait, [&] { return impl->is_open; });
  }
  impl->threads.run_on_each([&](net::Worker& worker) { impl->comeback.serving(worker.now()); });
  return std::unique_ptr<LimitStore>(new LimitStore(std::move(impl)));
}

LimitStore::~LimitStore() {
  impl_->threads.run_on_each([&](net::Worker&) {
    impl_->stopping = true;
    impl_->wake.set();
  });
  impl_->threads.run_until_done(impl_->loop, [&] { return impl_->scope.join(); });
}

std::shared_ptr<LimitDesk> LimitStore::open_desk(net::Loop& loop) {
  auto desk = std::make_shared<LimitDesk>(impl_->tenants, impl_->shared, *impl_);
  const std::lock_guard lock(impl_->mutex);
  desk->set_number(static_cast<uint32_t>(impl_->desks.size()));
  impl_->desks.push_back({.loop = &loop, .desk = desk});
  return desk;
}

std::shared_ptr<LimitDesk> open_desk(LimitStore* store, TenantStates& tenants, net::Loop& loop) {
  return store != nullptr ? store->open_desk(loop) : std::make_shared<LimitDesk>(tenants);
}

const SharedLimits& LimitStore::shared() const { return impl_->shared; }

void LimitStore::write_metrics(MetricWriter& writer) const {
  const Impl& impl = *impl_;
  writer.family(kLiveNodes);
  writer.sample(impl.shared.live_nodes());
  writer.family(kFallback);
  writer.sample(impl.shared.source() == SharedLimits::Source::kShare ? 1 : 0);
  writer.family(kOutages);
  writer.sample(impl.outages.value());
  const auto by_kind = [&](const MetricFamily& family, Counter LeaseBook::Counters::* counter) {
    writer.family(family);
    for (const LimitKind kind : kLimitKinds)
      writer.sample((impl.book.counters(kind).*counter).value(), {{"limit", to_string(kind)}});
  };
  by_kind(kCalls, &LeaseBook::Counters::calls);
  by_kind(kGranted, &LeaseBook::Counters::granted);
  by_kind(kReturned, &LeaseBook::Counters::returned);
  by_kind(kDenied, &LeaseBook::Counters::denied);
}

}  // namespace partywall
