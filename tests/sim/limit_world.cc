#include "sim/limit_world.h"

#include <algorithm>
#include <deque>
#include <list>

namespace partywall::test {
namespace {

constexpr Duration kTick = milliseconds(10);
constexpr Duration kAnswerTimeout = milliseconds(250);
constexpr Duration kServesAfter = seconds(1);
constexpr Duration kReconnectAfter = milliseconds(300);

}  // namespace

// One request at a node: first the rate, then a slot that it holds for a while.
struct LimitWorld::Session final : LimitWaiter {
  Session(LimitWorld& its_world, Node& its_node) : world(its_world), node(its_node) {}
  void limit_answered() override;

  LimitWorld& world;
  Node& node;
  bool has_token = false;
  ConcurrencyUnits units;
  std::list<Session>::iterator place;
};

struct LimitWorld::Node final : LimitAsks {
  Node(LimitWorld& its_world, uint32_t its_index, const std::string& life, uint32_t live)
      : world(its_world),
        index(its_index),
        shared(live, MonotonicTime()),
        book(life, states, shared),
        comeback(life),
        desk(states, shared, *this) {
    desk.set_number(0);
  }

  [[nodiscard]] MonotonicTime now() const {
    const auto true_time = static_cast<double>(world.now_.time_since_epoch().count());
    return MonotonicTime(Duration(static_cast<int64_t>(true_time * speed)) + offset);
  }
  void ask(const LimitAsk& ask) override { book.ask(ask, now()); }

  LimitWorld& world;
  uint32_t index;
  double speed = 1;
  Duration offset{};
  TenantStates states;
  SharedLimits shared;
  LeaseBook book;
  StoreReturn comeback;
  LimitDesk desk;
  MonotonicTime started{};
  bool serves = false;  // it takes no requests until it has heard from the store, or given up

  bool cut_off = false;
  uint32_t connection = 0;  // 0: none
  uint32_t last_connection = 0;
  MonotonicTime last_sent{};  // messages of a connection stay in order
  MonotonicTime last_received{};
  std::deque<MonotonicTime> unanswered;  // when they were sent
  MonotonicTime next_book_tick{};
  MonotonicTime next_break{};
  std::list<Session> sessions;
  bool pumping = false;
};

void LimitWorld::Session::limit_answered() {
  world.after(Duration(0), [this_world = &world, index = node.index, session = this] {
    Node* node = this_world->nodes_[index].get();
    if (node == nullptr) return;
    for (Session& one : node->sessions) {
      if (&one != session) continue;
      if (one.has_token ? this_world->try_slot(one) : this_world->try_rate(one)) return;
      break;
    }
  });
}

LimitWorld::LimitWorld(const LimitWorldSettings& settings)
    : settings_(settings), random_(settings.seed) {
  tenant_.id = TenantId(Uuid::from_halves(7, 7));
  tenant_.number = TenantNumber(3);
  tenant_.limits.api_rate = settings.rate;
  tenant_.limits.max_concurrent_requests = settings.slots;
  nodes_.resize(settings.nodes);
  for (uint32_t i = 0; i < settings.nodes; ++i) start(i);
  run_for(seconds(1));
  schedule_arrival();
}

LimitWorld::~LimitWorld() = default;

const SharedLimits& LimitWorld::shared(uint32_t node) const { return nodes_[node]->shared; }

void LimitWorld::at(MonotonicTime when, std::function<void()> what) {
  agenda_.emplace(when, std::move(what));
}

void LimitWorld::run_for(Duration time) {
  const MonotonicTime end = now_ + time;
  while (!agenda_.empty() && agenda_.begin()->first <= end) {
    now_ = std::max(now_, agenda_.begin()->first);
    const std::function<void()> what = std::move(agenda_.begin()->second);
    agenda_.erase(agenda_.begin());
    what();
  }
  now_ = end;
}

Duration LimitWorld::exponential(Duration mean) {
  return Duration(static_cast<int64_t>(
      std::exponential_distribution<>(1.0 / static_cast<double>(mean.count()))(random_)));
}

Duration LimitWorld::delay() {
  if (uniform() < settings_.late_share) return Duration(static_cast<int64_t>(uniform() * 1e9));
  return microseconds(50 + static_cast<int64_t>(uniform() * 400));
}

int64_t LimitWorld::store_now_us() const {
  return 1'700'000'000'000'000 + now_.time_since_epoch() / microseconds(1);
}

void LimitWorld::schedule_arrival() {
  const double per_second = settings_.load * static_cast<double>(settings_.rate.tokens) /
                            std::chrono::duration<double>(settings_.rate.period).count();
  after(exponential(Duration(static_cast<int64_t>(1e9 / per_second))), [this] {
    const auto any = static_cast<uint32_t>(uniform() * settings_.nodes) % settings_.nodes;
    arrive(uniform() < settings_.skew ? 0 : any);
    schedule_arrival();
  });
}

void LimitWorld::arrive(uint32_t index) {
  Node* node = nodes_[index].get();
  if (node == nullptr || !node->serves) return;
  arrived_.push_back({now_, index});
  Session& session = node->sessions.emplace_back(*this, *node);
  session.place = std::prev(node->sessions.end());
  ++waiting_;
  try_rate(session);
}

// True: the session has ended.
bool LimitWorld::try_rate(Session& session) {
  Node& node = session.node;
  const RateDecision decision = node.desk.admit(tenant_, LimitKind::kHttpRate, node.now());
  if (decision.pending) node.desk.wait(ask_about(tenant_, LimitKind::kHttpRate), session);
  pump(node);
  if (decision.pending) return false;
  --waiting_;
  if (!decision.admitted) {
    ++refused_;
    end_session(session);
    return true;
  }
  admitted_.push_back({now_, node.index});
  session.has_token = true;
  return try_slot(session);
}

bool LimitWorld::try_slot(Session& session) {
  Node& node = session.node;
  const LimitAsk what = ask_about(tenant_, LimitKind::kHttpRequests);
  LimitDesk::Acquired acquired = node.desk.acquire(what, node.now());
  if (acquired.pending) node.desk.wait(what, session);
  pump(node);
  if (acquired.pending) return false;
  if (!acquired.units) {
    ++slots_refused_;
    end_session(session);
    return true;
  }
  session.units = std::move(*acquired.units);
  peak_in_use_ = std::max(peak_in_use_, ++in_use_);
  after(exponential(settings_.mean_work), [this, index = node.index, done = &session] {
    Node* its_node = nodes_[index].get();
    if (its_node == nullptr) return;
    for (Session& one : its_node->sessions) {
      if (&one != done || !one.units.held()) continue;
      end_session(one);
      return;
    }
  });
  return false;
}

void LimitWorld::end_session(Session& session) {
  if (session.units.held()) --in_use_;
  session.node.sessions.erase(session.place);
}

uint32_t LimitWorld::take_peak_in_use() { return std::exchange(peak_in_use_, in_use_); }

// --- What the agent of a node does.

void LimitWorld::pump(Node& node) {
  if (node.pumping) return;
  node.pumping = true;
  if (const auto opening = node.comeback.take_opening(node.now()))
    node.book.open(*opening, node.now());
  if (node.connection != 0) {
    if (const auto beat = node.comeback.take_beat(node.now())) {
      send(node, [this, &node, call = *beat, sent = node.now()] {
        const NodeLedger::Answer answer = node_ledger_.call(call, store_now_us());
        return std::function<void()>([&node, answer, sent] {
          node.comeback.answered(answer, sent);
          if (node.shared.source() == SharedLimits::Source::kStore ||
              answer.live > node.shared.live_nodes()) {
            node.shared.set_live_nodes(static_cast<uint32_t>(answer.live));
          }
        });
      });
    }
    for (LeaseBook::Call& call : node.book.take_calls(node.now())) {
      ++store_calls_;
      send(node, [this, &node, call = std::move(call)]() -> std::function<void()> {
        LeaseBook::Answer answer;
        if (const auto* rate = std::get_if<RateLedger::Call>(&call.call)) {
          answer = rate_ledger_.call(call.what.rate, *rate, store_now_us());
        } else {
          answer = slot_ledger_.call(call.what.slots, std::get<SlotLedger::Call>(call.call),
                                     store_now_us());
        }
        return [&node, answer, ticket = call.ticket] {
          node.book.answered(ticket, answer, node.now());
        };
      });
    }
  }
  for (const LeaseBook::Wake& wake : node.book.take_wakes())
    node.desk.answered(wake.number, wake.kind);
  node.pumping = false;
}

// What was sent reaches the store even if the connection breaks meanwhile, unless the store is down
// or the node cut off; the answer does not.
void LimitWorld::send(Node& node, std::function<std::function<void()>()> at_store) {
  const uint32_t connection = node.connection;
  node.unanswered.push_back(node.now());
  node.last_sent = std::max(node.last_sent, now_ + delay());
  at(node.last_sent,
     [this, index = node.index, connection, life = &node, at_store = std::move(at_store)] {
       const bool lost = nodes_[index].get() != life || life->cut_off || !store_up_;
       if (lost) return;
       auto receive = at_store();
       life->last_received = std::max(life->last_received, now_ + delay());
       at(life->last_received, [this, index, connection, life, receive = std::move(receive)] {
         if (nodes_[index].get() != life || life->connection != connection) return;
         life->unanswered.pop_front();
         receive();
         pump(*life);
       });
     });
}

void LimitWorld::connect(Node& node) {
  if (!store_up_ || node.cut_off) return;
  node.connection = ++node.last_connection;
  node.last_sent = node.last_received = now_;
  node.unanswered.clear();
  node.comeback.connected(node.now());
  node.book.connected();
}

void LimitWorld::break_connection(Node& node) {
  if (node.connection == 0) return;
  node.connection = 0;
  node.comeback.lost(node.now());
  node.book.lost(node.now());
  after(kReconnectAfter, [this, index = node.index, life = &node] {
    if (nodes_[index].get() == life && life->connection == 0) connect(*life);
  });
}

void LimitWorld::tick(Node& node) {
  const bool timed_out =
      !node.unanswered.empty() && node.now() > node.unanswered.front() + kAnswerTimeout;
  const bool breaks = settings_.mean_between_breaks > Duration(0) && now_ > node.next_break;
  if (breaks) node.next_break = now_ + exponential(settings_.mean_between_breaks);
  if (node.connection != 0 && (timed_out || breaks)) break_connection(node);
  const bool opened = node.shared.source() == SharedLimits::Source::kStore;
  if (!node.serves && (opened || now_ > node.started + kServesAfter)) {
    node.serves = true;
    node.comeback.serving(node.now());
  }
  if (node.connection == 0 && node.now() >= node.next_book_tick) connect(node);
  if (node.now() >= node.next_book_tick) {
    node.book.tick(node.now());
    node.next_book_tick = node.now() + LeaseBook::kTick;
  }
  pump(node);
  after(kTick, [this, index = node.index, life = &node] {
    if (nodes_[index].get() == life) tick(*life);
  });
}

// --- What goes wrong.

void LimitWorld::stop_store() {
  store_up_ = false;
  for (auto& node : nodes_) {
    if (node) break_connection(*node);
  }
}

void LimitWorld::start_store(Memory memory) {
  store_up_ = true;
  if (memory == Memory::kKept) return;
  rate_ledger_ = {};
  slot_ledger_ = {};
  node_ledger_ = {};
}

void LimitWorld::cut_off(uint32_t node) {
  nodes_[node]->cut_off = true;
  break_connection(*nodes_[node]);
}

void LimitWorld::reconnect(uint32_t node) { nodes_[node]->cut_off = false; }

void LimitWorld::crash(uint32_t node) {
  for (const Session& session : nodes_[node]->sessions) {
    if (session.units.held()) --in_use_;
    if (!session.has_token) --waiting_;
  }
  nodes_[node]->sessions.clear();
  nodes_[node].reset();
}

void LimitWorld::start(uint32_t index) {
  auto node = std::make_unique<Node>(*this, index, std::to_string(++lives_), 1);
  node->speed = 1 + (uniform() * 2 - 1) * settings_.clock_drift;
  node->offset =
      Duration(static_cast<int64_t>(uniform() * static_cast<double>(settings_.clock_skew.count())));
  node->next_break = now_ + exponential(std::max(settings_.mean_between_breaks, Duration(1)));
  node->started = now_;
  nodes_[index] = std::move(node);
  connect(*nodes_[index]);
  tick(*nodes_[index]);
}

double most_above(const std::vector<LimitWorld::Request>& admitted, const RateLimit& limit) {
  const double per_ns =
      static_cast<double>(limit.tokens) / static_cast<double>(limit.period.count());
  double level = 0;  // of the requests of the worst time that ends now
  double worst = -static_cast<double>(limit.burst);
  MonotonicTime last{};
  for (const LimitWorld::Request& request : admitted) {
    level = std::max(0.0, level - static_cast<double>((request.at - last).count()) * per_ns) + 1;
    last = request.at;
    worst = std::max(worst, level - static_cast<double>(limit.burst));
  }
  return worst;
}

size_t ideally_admitted(const std::vector<LimitWorld::Request>& arrived, const RateLimit& limit) {
  Gcra gcra;
  return static_cast<size_t>(std::ranges::count_if(
      arrived, [&](const auto& request) { return gcra.admit(limit, request.at).admitted; }));
}

}  // namespace partywall::test
