#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tenancy/tenant.h"

namespace partywall {

struct FairQueueLimits {
  uint32_t max_waiting_per_tenant = 1'000;
  uint32_t max_waiting = 10'000;  // of all tenants together
};

enum class FairQueueFull { kTenant, kQueue };

// Work of many tenants that waits for something scarce, handed out by weighted deficit round robin
// (Shreedhar and Varghese, 1995) with items of equal cost: a turn of a tenant is up to `weight`
// items, then the next tenant has its turn. So an item waits for no more than one turn of each
// other tenant, however much those have waiting. One owner; not thread-safe; no clock.
template <class Item>
class FairQueue {
 public:
  // Names one waiting item. After the item has left, the ticket names nothing, for ever; nor does
  // one that push() has not made.
  struct Ticket {
    uint32_t slot = 0;
    uint32_t generation = 0;
    bool operator==(const Ticket&) const = default;
  };

  explicit FairQueue(FairQueueLimits limits = {}) : limits_(limits) {}

  // `weight` (at least 1) counts from the tenant's next turn on.
  std::expected<Ticket, FairQueueFull> push(TenantNumber tenant, uint32_t weight, Item item) {
    const auto found = tenants_.find(tenant);
    if (found != tenants_.end() && found->second.waiting >= limits_.max_waiting_per_tenant) {
      return std::unexpected(FairQueueFull::kTenant);
    }
    if (size_ >= limits_.max_waiting) return std::unexpected(FairQueueFull::kQueue);
    if (limits_.max_waiting_per_tenant == 0) return std::unexpected(FairQueueFull::kTenant);
    Line& line = found != tenants_.end() ? found->second : open_line(tenant);
    line.weight = std::max<uint32_t>(weight, 1);
    const uint32_t slot = take_slot(tenant, std::move(item));
    append(line, slot);
    ++size_;
    return Ticket{slot, slots_[slot].generation};
  }

  // The next item in fair order.
  std::optional<Item> pop() {
    return pop([](TenantNumber) { return true; });
  }

  // The next item in fair order of a tenant that may be served now: may_serve(TenantNumber). A
  // tenant that may not (it is at a limit of its own) keeps its items and waits for its next turn;
  // it does not save turns up. Costs a step for each tenant passed over.
  template <class MayServe>
  std::optional<Item> pop(MayServe may_serve) {
    for (size_t passed = 0; passed < turns_.size();) {
      const TenantNumber tenant = turns_.front();
      Line& line = tenants_.at(tenant);
      if (!may_serve(tenant)) {
        end_turn(line);
        ++passed;
        continue;
      }
      if (line.left_in_turn == 0) line.left_in_turn = line.weight;
      if (--line.left_in_turn == 0) end_turn(line);
      return take(line.first);
    }
    return std::nullopt;
  }

  // What pop() with the same answers would return; nullptr if nothing.
  template <class MayServe>
  [[nodiscard]] const Item* peek(MayServe may_serve) const {
    const auto tenant = std::ranges::find_if(turns_, may_serve);
    return tenant == turns_.end() ? nullptr : &*slots_[tenants_.at(*tenant).first].item;
  }

  // Takes out an item that no longer waits. Nothing if it has left already.
  std::optional<Item> remove(Ticket ticket) {
    if (ticket.slot >= slots_.size()) return std::nullopt;
    const Slot& slot = slots_[ticket.slot];
    if (!slot.item || slot.generation != ticket.generation) return std::nullopt;
    return take(ticket.slot);
  }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] size_t tenants_waiting() const { return tenants_.size(); }
  [[nodiscard]] uint32_t waiting(TenantNumber tenant) const {
    const auto found = tenants_.find(tenant);
    return found == tenants_.end() ? 0 : found->second.waiting;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Items live in slots that are linked to one line per tenant, so that one leaves from the middle
  // in constant time.
  struct Slot {
    std::optional<Item> item;
    TenantNumber tenant;
    uint32_t generation = 1;
    uint32_t previous = kNone;
    uint32_t next = kNone;  // in its line, or in the list of free slots
  };
  struct Line {
    uint32_t first = kNone;
    uint32_t last = kNone;
    uint32_t waiting = 0;
    uint32_t weight = 1;
    uint32_t left_in_turn = 0;
    std::list<TenantNumber>::iterator turn;
  };

  Line& open_line(TenantNumber tenant) {
    Line& line = tenants_[tenant];
    line.turn = turns_.insert(turns_.end(), tenant);
    return line;
  }

  uint32_t take_slot(TenantNumber tenant, Item item) {
    uint32_t index = free_;
    if (index == kNone) {
      index = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      free_ = slots_[index].next;
    }
    Slot& slot = slots_[index];
    slot.item.emplace(std::move(item));
    slot.tenant = tenant;
    return index;
  }

  void append(Line& line, uint32_t index) {
    Slot& slot = slots_[index];
    slot.previous = line.last;
    slot.next = kNone;
    (line.last == kNone ? line.first : slots_[line.last].next) = index;
    line.last = index;
    ++line.waiting;
  }

  Item take(uint32_t index) {
    Slot& slot = slots_[index];
    Line& line = tenants_.at(slot.tenant);
    (slot.previous == kNone ? line.first : slots_[slot.previous].next) = slot.next;
    (slot.next == kNone ? line.last : slots_[slot.next].previous) = slot.previous;
    --line.waiting;
    --size_;
    if (line.waiting == 0) {
      turns_.erase(line.turn);
      tenants_.erase(slot.tenant);
    }
    Item item = std::move(*slot.item);
    slot.item.reset();
    ++slot.generation;
    slot.next = std::exchange(free_, index);
    return item;
  }

  void end_turn(Line& line) {
    line.left_in_turn = 0;
    turns_.splice(turns_.end(), turns_, line.turn);
  }

  FairQueueLimits limits_;
  std::vector<Slot> slots_;
  uint32_t free_ = kNone;
  size_t size_ = 0;
  std::unordered_map<TenantNumber, Line> tenants_;  // those with something waiting
  std::list<TenantNumber> turns_;                   // whose turn it is, then whose it will be
};

}  // namespace partywall
