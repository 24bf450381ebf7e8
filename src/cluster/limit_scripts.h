#pragma once

#include <string_view>

// What runs in the limits store: one script for each of the three ledgers of policy/, which say
// what it does and why. tests/integration compares each script with its model, step by step.
namespace partywall {

// KEYS: the limit of a tenant. ARGV: node, sequence, held, returned, wanted, lent for (µs), epoch
// (µs), deposit, tokens, period (µs), burst. Answers: now (µs), granted, remaining, wait (µs),
// reset (µs).
extern const std::string_view kRateScript;
// KEYS: the limit of a tenant. ARGV: node, sequence, in use, wanted, limit. Answers: now (µs),
// granted, scarce.
extern const std::string_view kSlotScript;
// KEYS: nodes that were seen, nodes that are served, epoch. ARGV: node, state (0 joining, 1
// deciding, 2 served), away (µs). Answers: now (µs), live, epoch (µs).
extern const std::string_view kNodeScript;

}  // namespace partywall
