#pragma once

#include <cstddef>

namespace partywall::net {

class Event;

// Tells the sessions of one loop to finish: request() wakes everybody who watches. A session then
// takes no new work and ends when what it has begun is done; the door closes what is left after the
// drain time-out by request_close().
class Drain {
 public:
  enum class Stage { kOpen, kFinish, kClose };

  // Keeps an event subscribed as long as it lives.
  class Watch {
   public:
    Watch(Drain& drain, Event& event);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

   private:
    friend class Drain;
    Drain& drain_;
    Event& event_;
    Watch* previous_ = nullptr;
    Watch* next_ = nullptr;
  };

  void request() { raise(Stage::kFinish); }
  void request_close() { raise(Stage::kClose); }
  [[nodiscard]] bool requested() const { return stage_ != Stage::kOpen; }
  [[nodiscard]] bool must_close() const { return stage_ == Stage::kClose; }
  [[nodiscard]] size_t watchers() const { return watchers_; }

 private:
  void raise(Stage stage);

  Stage stage_ = Stage::kOpen;
  Watch* first_ = nullptr;
  size_t watchers_ = 0;
};

}  // namespace partywall::net
