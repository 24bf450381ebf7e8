#pragma once

#include "cache/waker.h"
#include "net/event.h"

namespace partywall::cache {

class EventWaker final : public Waker {
 public:
  explicit EventWaker(net::Event& event) : event_(event) {}
  void wake() override { event_.set(); }

 private:
  net::Event& event_;
};

}  // namespace partywall::cache
