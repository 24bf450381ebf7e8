#include "migrate/run/wake_signal.h"

#include <algorithm>
#include <stdexcept>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

namespace partywall::migrate {
namespace {

bool can_be_read(int descriptor) {
  pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 0) > 0;
}

FileDescriptor made(int number) {
  if (number < 0) throw std::runtime_error("no descriptor to wake by can be made");
  return FileDescriptor(number);
}

}  // namespace

WakeSignal::WakeSignal() : event_(made(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {}

void WakeSignal::signal() const { (void)::eventfd_write(event_.number(), 1); }

void WakeSignal::clear() const {
  eventfd_t count = 0;
  (void)::eventfd_read(event_.number(), &count);
}

bool WakeSignal::has_come() const { return can_be_read(event_.number()); }

WakeTimer::WakeTimer()
    : timer_(made(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK))) {}

void WakeTimer::set(Duration from_now) const {
  // Zero would mean never.
  const auto length = std::max<Duration>(from_now, milliseconds(1));
  const auto whole = std::chrono::duration_cast<seconds>(length);
  itimerspec when{};
  when.it_value.tv_sec = whole.count();
  when.it_value.tv_nsec = (length - whole).count();
  (void)::timerfd_settime(timer_.number(), 0, &when, nullptr);
}

void WakeTimer::clear() const {
  const itimerspec never{};
  (void)::timerfd_settime(timer_.number(), 0, &never, nullptr);
}

bool WakeTimer::has_come() const { return can_be_read(timer_.number()); }

}  // namespace partywall::migrate
