#pragma once

#include <vector>

#include "policy/lease_book.h"

namespace partywall::test {

// A limits store for the tests of doors: it answers when the test says so, and lends what it says.
class FakeLimitStore final : public LimitAsks {
 public:
  explicit FakeLimitStore(TenantStates& states)
      : desk(std::make_shared<LimitDesk>(states, shared, *this)), states_(states) {
    shared.set_source(SharedLimits::Source::kStore, MonotonicTime());
    desk->set_number(0);
  }

  // Who asks without waiting is asked for again by whoever waits.
  void ask(const LimitAsk& ask) override {
    if (ask.desk != LimitAsk::kNobody) asks.push_back(ask);
  }

  // Answers what was asked: so many tokens, or slots, for each; with none there is nothing for
  // `denied_for`.
  void answer(uint32_t lent, MonotonicTime now, Duration denied_for = milliseconds(700)) {
    for (const LimitAsk& one : std::exchange(asks, {})) {
      TenantState& state = states_.of(one.number);
      const MonotonicTime until = now + hours(1);
      LeaseSignals* signals = nullptr;
      if (is_rate(one.kind)) {
        RateGate& gate = one.kind == LimitKind::kHttpRate ? state.http_rate : state.cache_rate;
        gate.credit({.tokens = lent, .valid_until = until});
        signals = &gate.signals;
      } else {
        ConcurrencyGate& gate =
            one.kind == LimitKind::kHttpRequests ? state.http_requests : state.sql_connections;
        gate.lend(gate.in_use() + lent, until, ConcurrencyGate::Spare::kNone);
        signals = &gate.signals;
      }
      signals->asked = false;
      if (lent == 0) signals->deny_until(now + denied_for);
      desk->answered(one.number, one.kind);
    }
  }

  SharedLimits shared{1, MonotonicTime()};
  std::vector<LimitAsk> asks;
  std::shared_ptr<LimitDesk> desk;

 private:
  TenantStates& states_;
};

}  // namespace partywall::test
