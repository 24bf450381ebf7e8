#pragma once

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace partywall::cache {

// A first-in-first-out queue that keeps its memory: once it has grown to what is usual, pushing and
// popping allocate nothing.
template <class Item>
class RingQueue {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] Item& front() { return at(0); }
  [[nodiscard]] const Item& front() const { return const_cast<RingQueue*>(this)->at(0); }
  [[nodiscard]] Item& back() { return at(size_ - 1); }
  [[nodiscard]] Item& at(size_t index) {
    assert(index < size_);
    return items_[(first_ + index) & (items_.size() - 1)];
  }

  void push(Item item) {
    if (size_ == items_.size()) grow();
    ++size_;
    back() = std::move(item);
  }
  void pop() {
    front() = Item();
    first_ = (first_ + 1) & (items_.size() - 1);
    --size_;
  }

 private:
  void grow() {
    std::vector<Item> bigger(items_.empty() ? 8 : items_.size() * 2);
    for (size_t i = 0; i < size_; ++i) bigger[i] = std::move(at(i));
    items_ = std::move(bigger);
    first_ = 0;
  }

  std::vector<Item> items_;  // a power of two of them
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace partywall::cache
