#include "policy/slot_ledger.h"

#include <algorithm>

namespace partywall {

SlotLedger::Answer SlotLedger::call(uint32_t limit, const Call& call, int64_t now_us) {
  const auto own = std::ranges::find(loans_, call.node, &Loan::node);
  if (own != loans_.end() && own->sequence >= call.sequence) return {.granted = -1};
  std::erase_if(
      loans_, [&](const Loan& loan) { return loan.until_us <= now_us || loan.node == call.node; });
  int64_t of_others = 0;
  for (const Loan& loan : loans_) of_others += loan.slots;
  const int64_t free = std::max<int64_t>(int64_t{limit} - of_others, 0);
  const int64_t granted = std::max(call.in_use, std::min(call.wanted, free));
  loans_.push_back({.node = call.node,
                    .slots = granted,
                    .until_us = now_us + kLentForUs,
                    .sequence = call.sequence});
  if (granted < call.wanted) scarce_until_us_ = now_us + kScarceForUs;
  return {.granted = granted, .scarce = now_us < scarce_until_us_ ? 1 : 0};
}

}  // namespace partywall
