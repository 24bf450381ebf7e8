#pragma once

namespace partywall::cache {

// How a state machine tells the shell around it that there is something to do. The shell looks
// later, never from within the call.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void wake() = 0;
};

}  // namespace partywall::cache
