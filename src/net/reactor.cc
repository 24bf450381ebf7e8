#include "net/reactor.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace partywall::net {
namespace {

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Rounded up: a deadline must have passed when the wait ends.
int milliseconds_of(Duration timeout) {
  if (timeout == Duration::max()) return -1;
  const auto rounded = std::chrono::ceil<milliseconds>(std::max(timeout, Duration(0))).count();
  return static_cast<int>(std::min<int64_t>(rounded, INT_MAX));
}

}  // namespace

Reactor::Reactor()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (epoll_ < 0) throw_errno("epoll");
  if (wake_ < 0) throw_errno("eventfd");
  // Edge-triggered and never read: each write is an edge.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) throw_errno("epoll");
}

Reactor::~Reactor() {
  ::close(wake_);
  ::close(epoll_);
}

bool Reactor::add(int descriptor, DescriptorWatch& watch, uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Reactor::remove(int descriptor, DescriptorWatch& watch) {
  epoll_event unused{};
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &unused);
  for (int i = 0; i < found_count_; ++i) {
    if (found_[static_cast<size_t>(i)].data.ptr == &watch)
      found_[static_cast<size_t>(i)].data.ptr = nullptr;
  }
  for (std::vector<Call>* calls : {&soon_, &now_}) {
    for (Call& call : *calls) {
      if (call.watch == &watch) call.watch = nullptr;
    }
  }
}

void Reactor::wait(Duration timeout) {
  const int limit = soon_.empty() ? milliseconds_of(timeout) : 0;
  // An interrupted wait has found nothing.
  found_count_ = std::max(::epoll_wait(epoll_, found_.data(), kBatch, limit), 0);
}

void Reactor::dispatch() {
  now_.swap(soon_);
  for (size_t i = 0; i < now_.size(); ++i) {
    if (now_[i].watch) now_[i].watch->on_ready(now_[i].events);
  }
  now_.clear();
  for (int i = 0; i < found_count_; ++i) {
    const epoll_event& event = found_[static_cast<size_t>(i)];
    if (event.data.ptr) static_cast<DescriptorWatch*>(event.data.ptr)->on_ready(event.events);
  }
  found_count_ = 0;
}

void Reactor::wake() {
  const uint64_t one = 1;
  // It fails only when the counter is full, after 2^64 wakes.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof(one));
}

}  // namespace partywall::net
