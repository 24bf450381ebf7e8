#include "tenancy/directory_feed.h"

#include <utility>

namespace partywall {

DirectoryFeed::Subscription::Subscription(Subscription&& other) noexcept
    : feed_(std::exchange(other.feed_, nullptr)), entry_(other.entry_) {}

DirectoryFeed::Subscription& DirectoryFeed::Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    cancel();
    feed_ = std::exchange(other.feed_, nullptr);
    entry_ = other.entry_;
  }
  return *this;
}

void DirectoryFeed::Subscription::cancel() {
  if (!feed_) return;
  const std::lock_guard lock(feed_->mutex_);
  feed_->callbacks_.erase(entry_);
  feed_ = nullptr;
}

DirectoryRef DirectoryFeed::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void DirectoryFeed::publish(DirectoryRef next) {
  const std::lock_guard lock(mutex_);
  publish_locked(std::move(next));
}

Result<> DirectoryFeed::update(
    const std::function<Result<DirectoryRef>(const DirectoryRef&)>& make_next) {
  const std::lock_guard lock(mutex_);
  auto next = make_next(current_);
  if (!next) return std::unexpected(next.error());
  if (*next) publish_locked(*std::move(next));
  return {};
}

void DirectoryFeed::publish_locked(DirectoryRef next) {
  if (next->version() <= current_->version()) return;
  current_ = std::move(next);
  for (const Callback& callback : callbacks_) callback(current_);
}

DirectoryFeed::Subscription DirectoryFeed::subscribe(Callback callback) {
  const std::lock_guard lock(mutex_);
  callback(current_);
  callbacks_.push_back(std::move(callback));
  Subscription subscription;
  subscription.feed_ = this;
  subscription.entry_ = std::prev(callbacks_.end());
  return subscription;
}

}  // namespace partywall
