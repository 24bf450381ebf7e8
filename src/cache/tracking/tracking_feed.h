#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cache/tenant_upstreams.h"
#include "cache/tracking/tracking_table.h"

namespace partywall::cache {

// A client that keeps what it has read.
class TrackingClient {
 public:
  virtual ~TrackingClient() = default;
  // Nothing: all keys.
  virtual void invalidated(std::optional<std::string_view> key) = 0;
  // The feed has begun, or has ended: then nothing that was kept may be trusted any more.
  virtual void tracking_changed() = 0;
};

// What a worker hears about the changes of one tenant's keys in one database, for client-side
// caching. It listens to keyspace notifications: what Redis itself tracks for clients it tracks by
// key name over all databases, so that a tenant would be told when a neighbour changes a key of the
// same name.
class TrackingFeed final : public SubscriberSink,
                           public std::enable_shared_from_this<TrackingFeed> {
 public:
  // `selected` is the client's number of the database.
  static Result<std::shared_ptr<TrackingFeed>> open(std::shared_ptr<TenantUpstreams> owner,
                                                    const Tenant& tenant, uint32_t selected,
                                                    MonotonicTime now);
  ~TrackingFeed() override;
  TrackingFeed(const TrackingFeed&) = delete;
  TrackingFeed& operator=(const TrackingFeed&) = delete;

  // Whoever joins leaves before it goes.
  void join(uint64_t id, TrackingClient& client) { clients_.emplace(id, &client); }
  void leave(uint64_t id) { clients_.erase(id); }

  // From now on every change is heard.
  [[nodiscard]] bool ready() const { return confirmations_ == 0; }
  [[nodiscard]] bool usable() const { return upstream_ != nullptr; }
  [[nodiscard]] const UpstreamTarget& target() const { return owner_->target(); }
  [[nodiscard]] const ChannelNames& names() const { return names_; }

  void remember(std::string_view key, uint64_t client);
  void forget(std::string_view key, uint64_t client) { table_.forget(key, client); }

  // --- SubscriberSink
  void deliver(const PushFrame& frame) override;
  void subscriber_lost() override;
  [[nodiscard]] bool congested() const override { return false; }

 private:
  TrackingFeed(std::shared_ptr<TenantUpstreams> owner, const Tenant& tenant, uint32_t selected);
  void tell(const std::vector<uint64_t>& clients, std::string_view key);

  static constexpr size_t kMaxKeys = 20'000;

  std::shared_ptr<TenantUpstreams> owner_;
  std::shared_ptr<SubscriberFsm> upstream_;
  ChannelNames names_;
  std::string key_channel_;      // "__keyspace@0__:"
  std::string flushed_channel_;  // on which the doors tell each other of a FLUSHDB
  uint32_t confirmations_ = 2;   // still to come
  TrackingTable table_{kMaxKeys};
  std::unordered_map<uint64_t, TrackingClient*> clients_;
};

// By the client's number of the database; Redis has no notification for FLUSHDB.
std::string flushed_channel(uint32_t selected);

// The feeds of a worker: the clients of a tenant share one for each database.
class TrackingFeeds {
 public:
  Result<std::shared_ptr<TrackingFeed>> of(const std::shared_ptr<TenantUpstreams>& owner,
                                           const Tenant& tenant, uint32_t selected,
                                           MonotonicTime now);

 private:
  std::unordered_map<UpstreamTarget, std::weak_ptr<TrackingFeed>> feeds_;
};

}  // namespace partywall::cache
