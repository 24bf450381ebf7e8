#include "net/task.h"

#include <array>
#include <bit>
#include <new>

namespace partywall::net::internal {
namespace {

// Frames of 64 B to 4 KiB in powers of two; a thread keeps at most this many of each size.
constexpr size_t kSmallestShift = 6;
constexpr size_t kSizes = 7;
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PARTYWALL_ADDRESS_SANITIZER
#endif
#endif
#ifdef PARTYWALL_ADDRESS_SANITIZER
constexpr size_t kKeptPerSize = 0;  // so that the sanitizer sees a frame used after its end
#else
constexpr size_t kKeptPerSize = 64;
#endif

struct FreeFrame {
  FreeFrame* next;
};

struct FrameCache {
  std::array<FreeFrame*, kSizes> first{};
  std::array<size_t, kSizes> count{};

  ~FrameCache() {
    for (FreeFrame* frame : first) {
      while (frame) ::operator delete(std::exchange(frame, frame->next));
    }
  }
};

thread_local FrameCache cache;

size_t size_index(size_t size) {
  const size_t width = static_cast<size_t>(std::bit_width(size - 1));
  return width <= kSmallestShift ? 0 : width - kSmallestShift;
}

}  // namespace

void* allocate_frame(size_t size) {
  const size_t index = size_index(size);
  if (index >= kSizes) return ::operator new(size);
  if (FreeFrame* frame = cache.first[index]) {
    cache.first[index] = frame->next;
    --cache.count[index];
    return frame;
  }
  return ::operator new(size_t{1} << (index + kSmallestShift));
}

void free_frame(void* frame, size_t size) noexcept {
  const size_t index = size_index(size);
  if (index >= kSizes || cache.count[index] == kKeptPerSize) {
    ::operator delete(frame);
    return;
  }
  cache.first[index] = new (frame) FreeFrame{cache.first[index]};
  ++cache.count[index];
}

}  // namespace partywall::net::internal
