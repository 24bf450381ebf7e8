#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <sys/epoll.h>

#include "base/time.h"

namespace partywall::net {

// Who is told what epoll says about a descriptor. on_ready() may remove any watch, its own too.
class DescriptorWatch {
 public:
  DescriptorWatch() = default;
  DescriptorWatch(const DescriptorWatch&) = delete;
  DescriptorWatch& operator=(const DescriptorWatch&) = delete;

  // `events`: EPOLLIN and its kin.
  virtual void on_ready(uint32_t events) = 0;

 protected:
  ~DescriptorWatch() = default;
};

// One thread's epoll: which descriptors are ready. A descriptor is registered once, for its whole
// life; with EPOLLET whoever watches it remembers what it was told until a read or write says that
// it is exhausted. So waiting costs no system call for each wait.
class Reactor {
 public:
  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // False: the kernel has no room for it.
  [[nodiscard]] bool add(int descriptor, DescriptorWatch& watch, uint32_t events);
  // on_ready() will not be called any more. Before the descriptor is closed: a process that is just
  // being started may hold a copy of it for a moment, and epoll would go on to report that.
  void remove(int descriptor, DescriptorWatch& watch);
  // on_ready(events) in the next round, without the kernel. Once for each call.
  void call_soon(DescriptorWatch& watch, uint32_t events) { soon_.push_back({&watch, events}); }

  // Waits until something is ready, at most `timeout` (Duration::max(): for ever), or not at all
  // after call_soon(). Then call dispatch().
  void wait(Duration timeout);
  // Tells what wait() has found.
  void dispatch();

  // From any thread: a wait() that is under way returns, or else the next one.
  void wake();

 private:
  struct Call {
    DescriptorWatch* watch = nullptr;  // nullptr: removed meanwhile
    uint32_t events = 0;
  };
  static constexpr size_t kBatch = 256;

  std::array<epoll_event, kBatch> found_{};
  int found_count_ = 0;
  std::vector<Call> soon_;
  std::vector<Call> now_;  // of soon_, in this round
  int epoll_;
  int wake_;
};

}  // namespace partywall::net
