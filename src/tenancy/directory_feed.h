#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "tenancy/directory.h"

namespace partywall {

// Hands each new directory to everybody who subscribed. Thread-safe; the callbacks run on the
// publishing thread and only pass the pointer on (a door posts it to its workers).
class DirectoryFeed {
 public:
  using Callback = std::function<void(const DirectoryRef&)>;

  // Keeps the callback subscribed as long as it lives. It must not outlive the feed.
  class [[nodiscard]] Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { cancel(); }
    void cancel();

   private:
    friend class DirectoryFeed;
    DirectoryFeed* feed_ = nullptr;
    std::list<Callback>::iterator entry_;
  };

  explicit DirectoryFeed(DirectoryRef first) : current_(std::move(first)) {}

  [[nodiscard]] DirectoryRef current() const;
  // Ignored when `next` is not newer than what is there: a late message never turns time back.
  void publish(DirectoryRef next);
  // Publishes what `make_next` makes of the current directory, with nobody else publishing between
  // the two; null means that nothing changes. `make_next` must not call the feed.
  Result<> update(
      const std::function<Result<DirectoryRef>(const DirectoryRef& current)>& make_next);
  // Calls back at once with the current directory, then at each change.
  Subscription subscribe(Callback callback);

 private:
  void publish_locked(DirectoryRef next);

  mutable std::mutex mutex_;
  DirectoryRef current_;
  std::list<Callback> callbacks_;
};

}  // namespace partywall
