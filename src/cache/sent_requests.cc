#include "cache/sent_requests.h"

#include <cassert>

#include "cache/resp/request_parser.h"

namespace partywall::cache {
namespace {
constexpr size_t kKeptBytes = 64UL << 10;
// They were checked against the limits of the session before.
constexpr RequestLimits kNoLimits{
    .max_arguments = UINT32_MAX, .max_argument_bytes = SIZE_MAX, .max_request_bytes = SIZE_MAX};
}  // namespace

void SentRequests::add(std::string_view requests) {
  bytes_.append(requests);
  RequestParser parser;
  while (!requests.empty()) {
    [[maybe_unused]] const auto status = parser.parse(requests, kNoLimits);
    assert(status == RequestParser::Status::kRequest);
    lengths_.push(parser.consumed());
    requests.remove_prefix(parser.consumed());
  }
}

std::string_view SentRequests::front() const { return bytes_.view().substr(0, lengths_.front()); }

void SentRequests::pop() {
  bytes_.consume(lengths_.front());
  lengths_.pop();
  if (bytes_.empty() && bytes_.capacity() > kKeptBytes) bytes_.release();
}

}  // namespace partywall::cache
