// What a limits store answers, whatever it is and in whatever pieces: it is understood or refused
// the same way, and nobody is lent more than was asked for.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cluster/limit_session.h"

namespace {

using namespace partywall;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr int64_t kBurst = 10;
constexpr uint32_t kSlots = 4;

LimitAsk ask_of(LimitKind kind) {
  return {.number = TenantNumber(1),
          .id = TenantId(Uuid::from_halves(1, 1)),
          .kind = kind,
          .rate = {.tokens = 100, .period = minutes(1), .burst = kBurst},
          .slots = kSlots};
}

struct Outcome {
  bool failed = false;
  int64_t http_tokens = 0;
  int64_t cache_tokens = 0;
  uint32_t live_nodes = 0;

  bool operator==(const Outcome&) const = default;
};

Outcome play(std::string_view answers, size_t piece) {
  MonotonicTime now{hours(1)};
  TenantStates states;
  SharedLimits shared{1, now};
  LeaseBook book{"node", states, shared};
  StoreReturn comeback{"node"};
  LimitSession session({.user = "nodes", .password = Secret("secret")}, book, comeback, shared,
                       now);
  session.receive("+OK\r\n$3\r\naaa\r\n$3\r\nbbb\r\n$3\r\nccc\r\n", now);
  for (int beat = 0; beat < 2; ++beat) {
    session.run(now);
    session.receive("*3\r\n:1000\r\n:1\r\n:0\r\n", now);
  }
  for (const LimitKind kind : kLimitKinds) book.ask(ask_of(kind), now);
  session.run(now);
  while (!answers.empty() && !session.failure()) {
    session.receive(answers.substr(0, piece), now);
    answers.remove_prefix(std::min(piece, answers.size()));
  }
  const bool failed = session.failure().has_value();
  session.run(now);
  now += milliseconds(100);
  if (!failed) {
    session.run(now);
    require(session.deadline(now) >= now - LeaseBook::kTick);
  }
  Outcome outcome{.failed = failed,
                  .http_tokens = states.of(TenantNumber(1)).http_rate.tokens(),
                  .cache_tokens = states.of(TenantNumber(1)).cache_rate.tokens(),
                  .live_nodes = shared.live_nodes()};
  for (const int64_t tokens : {outcome.http_tokens, outcome.cache_tokens})
    require(tokens >= 0 && tokens <= kBurst);
  for (ConcurrencyGate* gate :
       {&states.of(TenantNumber(1)).http_requests, &states.of(TenantNumber(1)).sql_connections})
    require(gate->slots() <= kSlots);
  require(outcome.live_nodes >= 1);
  session.closed(now);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view answers(reinterpret_cast<const char*>(data + 1), size - 1);
  require(play(answers, 1 + data[0] % 32) == play(answers, SIZE_MAX));
  return 0;
}
