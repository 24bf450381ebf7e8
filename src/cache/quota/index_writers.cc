#include "cache/quota/index_writers.h"

#include <algorithm>

#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {
// Of names that wait for a connection that does not answer; beyond it they are left to the survey.
constexpr size_t kMostWaitingBytes = 1UL << 20;
constexpr size_t kSentAtOnceBytes = 8UL << 10;
}  // namespace

void IndexWriters::write(TenantId tenant, const std::shared_ptr<TenantQuota>& quota, NewNames names,
                         const Growth& growth) {
  const Place place(tenant, names.database);
  std::unique_ptr<Writer>& writer = writers_[place];
  if (writer == nullptr) writer = std::make_unique<Writer>(quota, time_);
  if (std::ranges::find(waiting_, place) == waiting_.end()) waiting_.push_back(place);
  const bool urgent = names.urgent;
  writer->add(std::move(names), growth);
  urgent_ = urgent_ || urgent || writer->waiting_bytes() >= kSentAtOnceBytes;
}

void IndexWriters::flush(const Directory& directory) {
  urgent_ = false;
  if (waiting_.empty()) return;
  const auto waiting = std::exchange(waiting_, {});
  for (const Place& place : waiting) {
    Writer& writer = *writers_.at(place);
    const Tenant* tenant = directory.find_tenant(place.first);
    const auto upstreams = tenant == nullptr ? fail(ErrorKind::kNotFound, "the tenant is gone")
                                             : upstreams_.of(*tenant, Protocol::kResp2,
                                                             UpstreamUser::kIndex, place.second);
    const auto upstream =
        upstreams ? (*upstreams)->shared(time_.monotonic()) : std::unexpected(upstreams.error());
    if (!upstream) {
      writer.give_up();
    } else if (!writer.send(*upstream)) {
      waiting_.push_back(place);
      urgent_ = true;
    }
  }
}

void IndexWriters::sweep(const Directory& directory) {
  flush(directory);
  std::erase_if(writers_, [](const auto& entry) { return entry.second->idle(); });
}

IndexWriters::Writer::~Writer() {
  if (!sent_.empty()) upstream_->abandon(*this);
}

void IndexWriters::Writer::add(NewNames names, const Growth& growth) {
  names_ += names;
  growth_ += growth;
  if (names_.bulks.size() > kMostWaitingBytes) give_up();
}

bool IndexWriters::Writer::send(const std::shared_ptr<UpstreamFsm>& upstream) {
  if (names_.empty()) return true;
  if (!sent_.empty() && upstream_ != upstream) return false;
  upstream_ = upstream;
  std::string request;
  append_array_header(request, 2 + names_.count);
  append_bulk(request, "SADD");
  append_bulk(request, key_index(upstream->key_prefix()));
  request += names_.bulks;
  sent_.push_back(std::exchange(growth_, {}));
  names_ = {};
  upstream->send_for(ReplyUse::kQuotaStep, *this, request);
  return true;
}

void IndexWriters::Writer::give_up() {
  if (names_.empty()) return;
  names_ = {};
  quota_->forgot_names();
  quota_->abandon(std::exchange(growth_, {}), time_.monotonic());
}

void IndexWriters::Writer::use(ReplyUse, std::string_view reply, const ServerFacts&) {
  if (!reply.starts_with(':')) return abandon_first();
  quota_->settle(sent_.front());
  sent_.pop_front();
}

void IndexWriters::Writer::lost(uint32_t unanswered, LostReplies) {
  for (uint32_t i = 0; i < unanswered; ++i) abandon_first();
}

void IndexWriters::Writer::abandon_first() {
  quota_->forgot_names();
  quota_->abandon(sent_.front(), time_.monotonic());
  sent_.pop_front();
}

}  // namespace partywall::cache
