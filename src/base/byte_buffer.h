#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace partywall {

// A first-in-first-out byte queue: append at the end, consume at the front. Holds no memory while
// it is empty after release(), so that an idle session costs none.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&&) noexcept;
  ByteBuffer& operator=(ByteBuffer&&) noexcept;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() = default;

  [[nodiscard]] std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] size_t capacity() const { return capacity_; }

  void append(std::string_view bytes);
  // `count` must not exceed size().
  void consume(size_t count);
  // Space for at least `count` bytes behind the end, to be filled and then commit()ted.
  std::span<char> prepare(size_t count);
  void commit(size_t count) { end_ += count; }
  void clear() { begin_ = end_ = 0; }
  // Gives the memory back; call it only when empty.
  void release();

 private:
  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace partywall
