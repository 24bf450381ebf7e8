#include "net/event.h"

#include <utility>

#include "net/loop.h"

namespace partywall::net {

void Event::set() {
  set_ = true;
  if (waiter_) loop_.schedule(std::exchange(waiter_, nullptr));
}

}  // namespace partywall::net
