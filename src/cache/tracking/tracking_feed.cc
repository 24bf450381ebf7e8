#include "cache/tracking/tracking_feed.h"

#include <utility>

#include <fmt/format.h>

namespace partywall::cache {

std::string flushed_channel(uint32_t selected) {
  return fmt::format("__partywall__:flushed@{}", selected);
}

TrackingFeed::TrackingFeed(std::shared_ptr<TenantUpstreams> owner, const Tenant& tenant,
                           uint32_t selected)
    : owner_(std::move(owner)),
      names_(tenant, owner_->target().route->backend()),
      key_channel_(fmt::format("__keyspace@{}__:", selected)),
      flushed_channel_(flushed_channel(selected)) {}

Result<std::shared_ptr<TrackingFeed>> TrackingFeed::open(std::shared_ptr<TenantUpstreams> owner,
                                                         const Tenant& tenant, uint32_t selected,
                                                         MonotonicTime now) {
  std::shared_ptr<TrackingFeed> feed(new TrackingFeed(std::move(owner), tenant, selected));
  auto upstream = feed->owner_->open_subscriber(*feed, feed->names_, now);
  if (!upstream) return std::unexpected(upstream.error());
  feed->upstream_ = std::move(*upstream);
  const auto keys = feed->names_.pattern_to_redis(feed->key_channel_ + "*");
  feed->upstream_->send(make_request({"PSUBSCRIBE", keys.value()}));
  feed->upstream_->send(make_request({"SUBSCRIBE", feed->names_.to_redis(feed->flushed_channel_)}));
  return feed;
}

TrackingFeed::~TrackingFeed() {
  if (upstream_ == nullptr) return;
  upstream_->detach();
  owner_->subscriber_ended();
}

void TrackingFeed::remember(std::string_view key, uint64_t client) {
  const auto given_up = table_.remember(key, client);
  if (given_up) tell(given_up->clients, given_up->key);
}

void TrackingFeed::deliver(const PushFrame& frame) {
  const auto self = shared_from_this();
  if (frame.kind == PushFrame::Kind::kConfirmation) {
    if (confirmations_ > 0 && --confirmations_ == 0) {
      for (const auto& [id, client] : clients_) client->tracking_changed();
    }
    return;
  }
  if (frame.kind != PushFrame::Kind::kMessage) return;
  const std::string_view channel = frame.channel();
  if (channel == flushed_channel_) {
    table_.clear();
    for (const auto& [id, client] : clients_) client->invalidated(std::nullopt);
  } else if (channel.starts_with(key_channel_)) {
    const std::string_view key = channel.substr(key_channel_.size());
    tell(table_.take(key), key);
  }
}

void TrackingFeed::tell(const std::vector<uint64_t>& clients, std::string_view key) {
  for (const uint64_t id : clients) {
    const auto client = clients_.find(id);
    if (client != clients_.end()) client->second->invalidated(key);
  }
}

void TrackingFeed::subscriber_lost() {
  const auto self = shared_from_this();
  if (upstream_ == nullptr) return;  // it could not even be opened, which whoever opens it will say
  owner_->subscriber_ended();
  upstream_.reset();
  for (const auto& [id, client] : std::exchange(clients_, {})) client->tracking_changed();
}

Result<std::shared_ptr<TrackingFeed>> TrackingFeeds::of(
    const std::shared_ptr<TenantUpstreams>& owner, const Tenant& tenant, uint32_t selected,
    MonotonicTime now) {
  std::erase_if(feeds_, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = feeds_[owner->target()];
  if (auto feed = entry.lock();
      feed != nullptr && feed->usable() &&
      feed->names() == ChannelNames(tenant, owner->target().route->backend()))
    return feed;
  auto opened = TrackingFeed::open(owner, tenant, selected, now);
  if (opened) entry = *opened;
  return opened;
}

}  // namespace partywall::cache
