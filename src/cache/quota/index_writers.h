#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache/quota/key_index.h"
#include "cache/quota/recent_names.h"
#include "cache/quota/tenant_quota.h"
#include "cache/upstream_registry.h"

namespace partywall::cache {

// Writes down in the indexes of prefix mode which keys one worker's clients have made: after Redis
// has answered for the keys, so that nobody who looks at a name before its key is there takes it
// out again, and before the tenant's quota is told that they count, so that no key is ever counted
// neither there nor here.
class IndexWriters {
 public:
  IndexWriters(UpstreamRegistry& upstreams, const TimeSource& time)
      : upstreams_(upstreams), time_(time) {}

  // The quota settles `growth` when the names are in the index; where that is not to be known, it
  // is abandoned.
  void write(TenantId tenant, const std::shared_ptr<TenantQuota>& quota, NewNames names,
             const Growth& growth);
  // Sends what there is, if that should not wait. The rest waits for flush(), which is to be called
  // every kRouteTick: so one request carries the names of many.
  void flush_urgent(const Directory& directory) {
    if (urgent_) flush(directory);
  }
  void flush(const Directory& directory);
  // Forgets who has nothing to write; to be called every few seconds.
  void sweep(const Directory& directory);
  [[nodiscard]] RecentNames& recent() { return recent_; }

 private:
  // Of one database of one tenant.
  class Writer final : public ReplySink {
   public:
    Writer(std::shared_ptr<TenantQuota> quota, const TimeSource& time)
        : quota_(std::move(quota)), time_(time) {}
    ~Writer() override;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void add(NewNames names, const Growth& growth);
    // False: not yet, because another connection still has to answer.
    bool send(const std::shared_ptr<UpstreamFsm>& upstream);
    // What was to be sent cannot be.
    void give_up();
    [[nodiscard]] size_t waiting_bytes() const { return names_.bulks.size(); }
    [[nodiscard]] bool idle() const { return names_.empty() && sent_.empty(); }

   private:
    void pass(std::string_view, uint32_t) override {}
    void use(ReplyUse use, std::string_view reply, const ServerFacts& facts) override;
    void answer(std::string_view) override {}
    void lost(uint32_t unanswered, LostReplies how) override;
    [[nodiscard]] bool congested() const override { return false; }
    void abandon_first();

    std::shared_ptr<TenantQuota> quota_;
    const TimeSource& time_;
    NewNames names_;  // to be sent
    Growth growth_;   // with them
    std::shared_ptr<UpstreamFsm> upstream_;
    std::deque<Growth> sent_;  // not answered yet
  };
  using Place = std::pair<TenantId, uint32_t>;

  UpstreamRegistry& upstreams_;
  const TimeSource& time_;
  std::map<Place, std::unique_ptr<Writer>> writers_;
  std::vector<Place> waiting_;  // those that have something to send
  bool urgent_ = false;         // one of them has what should not wait, or much
  RecentNames recent_;
};

}  // namespace partywall::cache
