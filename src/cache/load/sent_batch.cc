#include "cache/load/sent_batch.h"

#include <cassert>

#include "cache/resp/request_parser.h"

namespace partywall::cache {
namespace {
// They were checked against the limits of the session before.
constexpr RequestLimits kNoLimits{
    .max_arguments = UINT32_MAX, .max_argument_bytes = SIZE_MAX, .max_request_bytes = SIZE_MAX};
}  // namespace

void SentBatch::add(std::string_view requests, uint32_t count, ReplyKeys reply_keys) {
  // One that is not kept is missing in the count, so that the batch is never whole again.
  if (bytes_.size() + requests.size() > kMostBytes) return;
  bytes_ += requests;
  if (reply_keys != ReplyKeys::kNone) reply_keys_.emplace_back(count_, reply_keys);
  count_ += count;
}

void SentBatch::clear() {
  bytes_.clear();
  reply_keys_.clear();
  count_ = 0;
  if (bytes_.capacity() > kKeptCapacity) bytes_.shrink_to_fit();
}

std::vector<SentBatch::Sent> SentBatch::last(uint32_t count) const {
  std::vector<Sent> sent;
  RequestParser parser;
  std::string_view rest = bytes_;
  auto keys = reply_keys_.begin();
  for (uint64_t index = 0; index < count_; ++index) {
    [[maybe_unused]] const auto status = parser.parse(rest, kNoLimits);
    assert(status == RequestParser::Status::kRequest);
    const bool has_keys = keys != reply_keys_.end() && keys->first == index;
    if (index >= count_ - count)
      sent.push_back(
          {rest.substr(0, parser.consumed()), has_keys ? keys->second : ReplyKeys::kNone});
    if (has_keys) ++keys;
    rest.remove_prefix(parser.consumed());
  }
  return sent;
}

}  // namespace partywall::cache
