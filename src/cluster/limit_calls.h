#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/redis.h"
#include "policy/lease_book.h"

// The calls of the limits store's scripts as requests to a Redis, and what it answers.
namespace partywall {

enum class LimitScript : uint8_t { kRate, kSlots, kNodes };
inline constexpr std::array kLimitScripts = {LimitScript::kRate, LimitScript::kSlots,
                                             LimitScript::kNodes};

std::string_view text_of(LimitScript script);
// By which EVALSHA knows them: what SCRIPT LOAD answered.
using ScriptDigests = std::array<std::string, kLimitScripts.size()>;

// The key of a limit of a tenant. It holds the tenant's identity and nothing that a tenant, a
// client or an operator has named.
std::string limit_key(TenantId tenant, LimitKind kind);

std::vector<std::string> limit_request(const LeaseBook::Call& call, const ScriptDigests& digests);
std::vector<std::string> node_request(const NodeLedger::Call& call, const ScriptDigests& digests);

// `now_us` is the time of the store at which it decided.
template <class Decision>
struct Timed {
  int64_t now_us = 0;
  Decision answer{};
};
Result<Timed<RateLedger::Answer>> rate_answer(const redis::Reply& reply);
Result<Timed<SlotLedger::Answer>> slot_answer(const redis::Reply& reply);
Result<NodeLedger::Answer> node_answer(const redis::Reply& reply);

}  // namespace partywall
