#include "base/byte_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace partywall {
namespace {
constexpr size_t kSmallestCapacity = 1024;
}

ByteBuffer::ByteBuffer(ByteBuffer&& other) noexcept { *this = std::move(other); }

ByteBuffer& ByteBuffer::operator=(ByteBuffer&& other) noexcept {
  data_ = std::move(other.data_);
  capacity_ = std::exchange(other.capacity_, 0);
  begin_ = std::exchange(other.begin_, 0);
  end_ = std::exchange(other.end_, 0);
  return *this;
}

void ByteBuffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

void ByteBuffer::consume(size_t count) {
  assert(count <= size());
  begin_ += count;
  if (begin_ == end_) clear();
}

std::span<char> ByteBuffer::prepare(size_t count) {
  if (capacity_ - end_ < count) {
    const size_t used = size();
    if (capacity_ - used >= count && begin_ >= capacity_ / 2) {
      std::memmove(data_.get(), data_.get() + begin_, used);
    } else {
      const size_t grown = std::max({kSmallestCapacity, capacity_ * 2, used + count});
      std::unique_ptr<char[]> bigger(new char[grown]);
      if (used > 0) std::memcpy(bigger.get(), data_.get() + begin_, used);
      data_ = std::move(bigger);
      capacity_ = grown;
    }
    begin_ = 0;
    end_ = used;
  }
  return {data_.get() + end_, capacity_ - end_};
}

void ByteBuffer::release() {
  assert(empty());
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace partywall
