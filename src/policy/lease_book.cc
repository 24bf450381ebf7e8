#include "policy/lease_book.h"

#include <algorithm>
#include <utility>

namespace partywall {
namespace {

constexpr Duration kLeaseWorth = milliseconds(100);
// A lease that was used up in less than this was worth a prefetch.
constexpr Duration kBusy = kRateLease / 2;
constexpr Duration kForgetAfter = seconds(2);
constexpr Duration kRenewAfter = seconds(1);
constexpr Duration kSlotPause = milliseconds(100);
// Slots that lie idle and of which there are few are given back after this.
constexpr Duration kIdleSlots = milliseconds(200);

// Slots beyond those in use, so that not every request has to ask. None where there are so few that
// another node would be refused because of them.
uint32_t spare_slots(uint32_t limit, uint32_t live_nodes) { return limit / (4 * live_nodes); }

// The store lends for a quarter longer than the node uses.
int64_t lent_for_us(Duration lease) { return (lease + lease / 4) / microseconds(1); }

MonotonicTime from_now(MonotonicTime now, int64_t after_us) { return now + microseconds(after_us); }

}  // namespace

uint32_t lease_size(const RateLimit& limit, uint32_t live_nodes) {
  const double worth = static_cast<double>(limit.tokens) *
                       static_cast<double>(kLeaseWorth.count()) /
                       static_cast<double>(std::max<int64_t>(limit.period.count(), 1));
  const auto tokens = static_cast<uint32_t>(worth) + (worth > static_cast<uint32_t>(worth) ? 1 : 0);
  return std::clamp(tokens, 1U, std::max(limit.burst / (2 * std::max(live_nodes, 1U)), 1U));
}

RateGate& LeaseBook::rate_gate(const Entry& entry) {
  TenantState& state = states_.of(entry.what.number);
  return entry.what.kind == LimitKind::kHttpRate ? state.http_rate : state.cache_rate;
}

ConcurrencyGate& LeaseBook::slot_gate(const Entry& entry) {
  TenantState& state = states_.of(entry.what.number);
  return entry.what.kind == LimitKind::kHttpRequests ? state.http_requests : state.sql_connections;
}

LeaseSignals& LeaseBook::signals(const Entry& entry) {
  return is_rate(entry.what.kind) ? rate_gate(entry).signals : slot_gate(entry).signals;
}

void LeaseBook::ask(const LimitAsk& ask, MonotonicTime now) {
  const uint64_t key = key_of(ask);
  Entry& entry = entries_[key];
  entry.what = ask;
  const bool is_new = std::ranges::find(entry.desks, ask.desk) == entry.desks.end();
  if (ask.desk != LimitAsk::kNobody && is_new) entry.desks.push_back(ask.desk);
  if (link_ != Link::kOpen) return wake(entry);  // the share says at once
  if (signals(entry).denied_for(now) <= Duration(0)) return want(key, entry, Purpose::kMore);
  // The store has just said that there are none. Who waits for slots is told when there are.
  signals(entry).asked = false;
  if (is_rate(ask.kind)) wake(entry);
}

// More is wanted more than anything else.
void LeaseBook::want(uint64_t key, Entry& entry, Purpose purpose) {
  if (entry.due == Purpose::kNothing && entry.in_flight == 0) due_.push_back(key);
  if (entry.due != Purpose::kMore) entry.due = purpose;
}

void LeaseBook::wake(Entry& entry) {
  for (const uint32_t desk : entry.desks)
    wakes_.push_back({.desk = desk, .number = entry.what.number, .kind = entry.what.kind});
  entry.desks.clear();
}

void LeaseBook::open(const StoreReturn::Opening& opening, MonotonicTime now) {
  share_ = {};
  if (opening.after_outage) {
    share_ = {.nodes = shared_.live_nodes(), .since = shared_.since(), .until = now};
  }
  epoch_us_ = opening.epoch_us;
  link_ = Link::kOpen;
  shared_.set_source(SharedLimits::Source::kStore, now);
}

void LeaseBook::lost(MonotonicTime now) {
  if (link_ == Link::kOpen) shared_.set_source(SharedLimits::Source::kShare, now);
  link_ = Link::kLost;
  due_.clear();
  for (auto& [key, entry] : entries_) {
    entry.in_flight = 0;
    entry.due = Purpose::kNothing;
    signals(entry).asked = false;
    wake(entry);
  }
}

std::vector<LeaseBook::Call> LeaseBook::take_calls(MonotonicTime now) {
  std::vector<Call> calls;
  for (const uint64_t key : std::exchange(due_, {})) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) continue;
    Entry& entry = found->second;
    const Purpose purpose = std::exchange(entry.due, Purpose::kNothing);
    if (purpose == Purpose::kNothing) continue;
    Call call{.ticket = key, .what = entry.what, .call = {}};
    entry.in_flight = ++last_sequence_;
    entry.sent = now;
    if (is_rate(entry.what.kind)) {
      call.call = rate_call(entry, purpose, now);
    } else {
      call.call = slot_call(entry, purpose);
    }
    counters_[static_cast<size_t>(entry.what.kind)].calls.add();
    calls.push_back(std::move(call));
  }
  return calls;
}

RateLedger::Call LeaseBook::rate_call(Entry& entry, Purpose purpose, MonotonicTime now) {
  RateGate& gate = rate_gate(entry);
  const RateLimit& limit = entry.what.rate;
  RateLedger::Call call{
      .node = node_, .sequence = entry.in_flight, .epoch_us = epoch_us_, .deposit = 0};
  if (purpose == Purpose::kGiveBack || now >= entry.lease_ends) call.returned = gate.withdraw();
  // What workers use from here on is still counted as held: too much rather than too little.
  call.held = gate.tokens();
  if (purpose == Purpose::kMore) {
    const uint64_t waiting = gate.signals.waiting.load(std::memory_order_relaxed);
    const uint64_t most = limit.burst;
    call.wanted =
        static_cast<int64_t>(std::min(most, waiting + lease_size(limit, shared_.live_nodes())));
  }
  entry.lease = lease_size(limit, shared_.live_nodes()) == 1 ? kShortRateLease : kRateLease;
  call.lent_for_us = lent_for_us(entry.lease);
  if (entry.epoch_us != epoch_us_ && share_.nodes > 0) {
    call.deposit = gate.withdraw_share(limit, share_.nodes, share_.since, share_.until);
  }
  entry.epoch_us = epoch_us_;
  entry.wanted = call.wanted;
  counters_[static_cast<size_t>(entry.what.kind)].returned.add(
      static_cast<uint64_t>(call.returned));
  return call;
}

SlotLedger::Call LeaseBook::slot_call(Entry& entry, Purpose purpose) {
  ConcurrencyGate& gate = slot_gate(entry);
  const uint32_t most = slots_to_have(entry, purpose);
  entry.in_use_before = gate.in_use();
  const uint32_t kept = gate.keep(most);
  // Before the store is open, the share is what this node goes by: it is no wish.
  const uint32_t claimed = link_ == Link::kOpen ? kept : std::max(kept, most);
  entry.wanted = std::max(most, claimed);
  return {.node = node_, .sequence = entry.in_flight, .in_use = claimed, .wanted = entry.wanted};
}

uint32_t LeaseBook::slots_to_have(const Entry& entry, Purpose purpose) {
  ConcurrencyGate& gate = slot_gate(entry);
  const uint32_t limit = entry.what.slots;
  const uint32_t in_use = gate.in_use();
  if (link_ != Link::kOpen) return in_use == 0 ? 0 : share_of(limit, shared_.live_nodes());
  const uint32_t waiting = gate.signals.waiting.load(std::memory_order_relaxed);
  const bool more = purpose == Purpose::kMore;
  if (!more && waiting == 0 && in_use == 0 && entry.in_use_before == 0) return 0;
  const uint32_t spare = entry.scarce ? 0 : spare_slots(limit, shared_.live_nodes());
  const uint32_t busy = spare == 0 ? in_use : std::max(in_use, entry.in_use_before);
  // Whoever asks is the first to come, or will wait in a moment.
  const uint32_t least = more && gate.slots() <= in_use ? in_use + 1 : 0;
  return std::min(std::max(busy + waiting + spare, least), limit);
}

void LeaseBook::answered(uint64_t ticket, const Answer& answer, MonotonicTime now) {
  const auto found = entries_.find(ticket);
  if (found == entries_.end() || found->second.in_flight == 0) return;
  Entry& entry = found->second;
  entry.in_flight = 0;
  if (is_rate(entry.what.kind)) {
    rate_answered(entry, std::get<RateLedger::Answer>(answer), now);
  } else {
    slots_answered(entry, std::get<SlotLedger::Answer>(answer), now);
  }
  signals(entry).asked = false;
  if (entry.due != Purpose::kNothing) due_.push_back(ticket);
  wake(entry);
}

void LeaseBook::rate_answered(Entry& entry, const RateLedger::Answer& answer, MonotonicTime now) {
  Counters& counters = counters_[static_cast<size_t>(entry.what.kind)];
  RateGate& gate = rate_gate(entry);
  // Never more than was asked for, whatever the store says.
  const int64_t granted = std::clamp<int64_t>(answer.granted, 0, entry.wanted);
  if (granted < entry.wanted) {
    counters.denied.add();
    gate.signals.deny_until(std::max(from_now(now, answer.wait_us), entry.sent + kLeastPause));
  }
  if (entry.wanted == 0) return;
  counters.granted.add(static_cast<uint64_t>(granted));
  const bool busy = entry.sent - entry.lease_began < kBusy;
  const int64_t quarter = lease_size(entry.what.rate, shared_.live_nodes()) / 4;
  if (granted > 0) {
    entry.lease_began = entry.sent;
    entry.lease_ends = entry.sent + entry.lease;
  }
  gate.credit({.tokens = granted,
               .valid_until = entry.lease_ends,
               .ask_at = busy ? quarter : -1,
               .remaining = answer.remaining,
               .reset_at = from_now(now, answer.reset_us)});
}

void LeaseBook::slots_answered(Entry& entry, const SlotLedger::Answer& answer, MonotonicTime now) {
  Counters& counters = counters_[static_cast<size_t>(entry.what.kind)];
  entry.scarce = answer.scarce != 0;
  if (answer.granted < 0) return;
  ConcurrencyGate& gate = slot_gate(entry);
  // As with tokens. What was asked for is within the limit, or in use already.
  const int64_t granted = std::min<int64_t>(answer.granted, entry.wanted);
  if (granted < entry.wanted) {
    counters.denied.add();
    gate.signals.deny_until(now + kSlotPause);
  }
  counters.granted.add(static_cast<uint64_t>(granted));
  const bool spare = !entry.scarce && spare_slots(entry.what.slots, shared_.live_nodes()) > 0;
  gate.lend(static_cast<uint32_t>(granted), entry.sent + kSlotLease,
            spare ? ConcurrencyGate::Spare::kSome : ConcurrencyGate::Spare::kNone);
}

void LeaseBook::tick(MonotonicTime now) {
  if (link_ == Link::kLost) return;
  for (auto item = entries_.begin(); item != entries_.end();) {
    auto& [key, entry] = *item;
    const bool busy = entry.in_flight != 0 || entry.due != Purpose::kNothing;
    const bool done = !busy && (is_rate(entry.what.kind) ? tick_rate(key, entry, now)
                                                         : tick_slots(key, entry, now));
    if (done) signals(entry).asked = false;
    item = done ? entries_.erase(item) : std::next(item);
  }
}

// True: nothing is left to do about it.
bool LeaseBook::tick_rate(uint64_t key, Entry& entry, MonotonicTime now) {
  if (link_ != Link::kOpen) return false;
  RateGate& gate = rate_gate(entry);
  if (gate.tokens() == 0) return entry.desks.empty() && now > entry.sent + kForgetAfter;
  if (now >= entry.lease_ends - kTick) want(key, entry, Purpose::kGiveBack);
  return false;
}

bool LeaseBook::tick_slots(uint64_t key, Entry& entry, MonotonicTime now) {
  ConcurrencyGate& gate = slot_gate(entry);
  const uint32_t slots = gate.slots();
  const uint32_t in_use = gate.in_use();
  if (slots == 0 && in_use == 0 && gate.signals.waiting == 0)
    return now > entry.sent + kForgetAfter;
  const bool renew = now >= entry.sent + kRenewAfter;
  const bool few = spare_slots(entry.what.slots, shared_.live_nodes()) == 0;
  const bool surplus = slots > in_use && (entry.scarce || (few && now >= entry.sent + kIdleSlots));
  if (gate.signals.waiting > 0 && gate.signals.denied_for(now) <= Duration(0)) {
    want(key, entry, Purpose::kMore);
  } else if (renew || surplus) {
    want(key, entry, Purpose::kRenew);
  }
  return false;
}

}  // namespace partywall
