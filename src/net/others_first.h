#pragma once

#include <coroutine>

#include "net/loop.h"

namespace partywall::net {

// co_await others_first(loop): whoever is ready now has its turn, and the sockets theirs, before
// this coroutine goes on. For one that could go on for ever because its peer never lets it run dry.
struct OthersFirst {
  Loop& loop;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const {
    loop.schedule_after_others(coroutine);
  }
  void await_resume() const noexcept {}
};

[[nodiscard]] inline OthersFirst others_first(Loop& loop) { return {loop}; }

}  // namespace partywall::net
