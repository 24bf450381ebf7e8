#include "cluster/limit_calls.h"

#include <algorithm>

#include "cluster/limit_scripts.h"

namespace partywall {
namespace {

template <class... Values>
std::vector<std::string> words(Values&&... values) {
  return {fmt::format("{}", std::forward<Values>(values))...};
}

template <size_t count>
Result<std::array<int64_t, count>> numbers(const redis::Reply& reply) {
  std::array<int64_t, count> found{};
  const auto is_number = [](const redis::Reply& item) {
    return item.kind == redis::Reply::Kind::kNumber;
  };
  if (reply.items.size() != count || !std::ranges::all_of(reply.items, is_number)) {
    return fail(ErrorKind::kInvalid, "the limits store answers {} where {} numbers are due",
                to_string(reply), count);
  }
  std::ranges::transform(reply.items, found.begin(), &redis::Reply::number);
  return found;
}

std::vector<std::string> rate_request(const std::string& digest, const LimitAsk& what,
                                      const RateLedger::Call& call) {
  const int64_t period_us = what.rate.period / microseconds(1);
  return words("EVALSHA", digest, 1, limit_key(what.id, what.kind), call.node, call.sequence,
               call.held, call.returned, call.wanted, call.lent_for_us, call.epoch_us, call.deposit,
               what.rate.tokens, period_us, what.rate.burst);
}

std::vector<std::string> slot_request(const std::string& digest, const LimitAsk& what,
                                      const SlotLedger::Call& call) {
  return words("EVALSHA", digest, 1, limit_key(what.id, what.kind), call.node, call.sequence,
               call.in_use, call.wanted, what.slots);
}

}  // namespace

std::string_view text_of(LimitScript script) {
  switch (script) {
    case LimitScript::kRate:
      return kRateScript;
    case LimitScript::kSlots:
      return kSlotScript;
    case LimitScript::kNodes:
      break;
  }
  return kNodeScript;
}

std::string limit_key(TenantId tenant, LimitKind kind) {
  return fmt::format("partywall:limits:{}:{}", to_string(kind), tenant.value().to_string());
}

std::vector<std::string> limit_request(const LeaseBook::Call& call, const ScriptDigests& digests) {
  const auto digest_of = [&](LimitScript script) { return digests[static_cast<size_t>(script)]; };
  if (const auto* rate = std::get_if<RateLedger::Call>(&call.call))
    return rate_request(digest_of(LimitScript::kRate), call.what, *rate);
  return slot_request(digest_of(LimitScript::kSlots), call.what,
                      std::get<SlotLedger::Call>(call.call));
}

std::vector<std::string> node_request(const NodeLedger::Call& call, const ScriptDigests& digests) {
  return words("EVALSHA", digests[static_cast<size_t>(LimitScript::kNodes)], 3,
               "{partywall:nodes}:seen", "{partywall:nodes}:served", "{partywall:nodes}:epoch",
               call.node, static_cast<int>(call.state), call.away_us);
}

Result<Timed<RateLedger::Answer>> rate_answer(const redis::Reply& reply) {
  const auto found = numbers<5>(reply);
  if (!found) return std::unexpected(found.error());
  const auto [now, granted, remaining, wait, reset] = *found;
  return Timed<RateLedger::Answer>{
      .now_us = now,
      .answer = {.granted = granted, .remaining = remaining, .wait_us = wait, .reset_us = reset}};
}

Result<Timed<SlotLedger::Answer>> slot_answer(const redis::Reply& reply) {
  const auto found = numbers<3>(reply);
  if (!found) return std::unexpected(found.error());
  const auto [now, granted, scarce] = *found;
  return Timed<SlotLedger::Answer>{.now_us = now, .answer = {.granted = granted, .scarce = scarce}};
}

Result<NodeLedger::Answer> node_answer(const redis::Reply& reply) {
  const auto found = numbers<3>(reply);
  if (!found) return std::unexpected(found.error());
  const auto [now, live, epoch] = *found;
  return NodeLedger::Answer{.now_us = now, .live = live, .epoch_us = epoch};
}

}  // namespace partywall
