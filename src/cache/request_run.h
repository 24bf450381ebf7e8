#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>

#include "cache/commands/key_layout.h"

namespace partywall::cache {

class UpstreamFsm;

// Requests that follow each other and go to the same connection: they are passed on in one piece.
// Either as they are, then they are the client's own bytes, or rewritten in a buffer that is lent.
class RequestRun {
 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool continues(const UpstreamFsm& to, std::string_view request) const {
    return to_ == &to && rewritten_ == nullptr && bytes_.data() + bytes_.size() == request.data();
  }
  [[nodiscard]] bool continues(const UpstreamFsm& to, const std::string& buffer) const {
    return to_ == &to && rewritten_ == &buffer;
  }
  // Only where it continues, or is empty.
  void add(UpstreamFsm& to, std::string_view request) {
    assert(empty() || continues(to, request));
    if (empty()) bytes_ = {request.data(), 0};
    bytes_ = {bytes_.data(), bytes_.size() + request.size()};
    to_ = &to;
    ++count_;
  }
  // The request was put behind the others in the buffer. One whose reply names keys is alone.
  void add_rewritten(UpstreamFsm& to, std::string_view request, const std::string& buffer,
                     ReplyKeys reply_keys) {
    assert(empty() || (continues(to, buffer) && reply_keys == ReplyKeys::kNone));
    reply_keys_ = reply_keys;
    bytes_ = request;
    rewritten_ = &buffer;
    to_ = &to;
    ++count_;
  }
  void clear() { *this = {}; }

  [[nodiscard]] UpstreamFsm* to() const { return to_; }
  // What is to be passed on.
  [[nodiscard]] std::string_view bytes() const { return rewritten_ ? *rewritten_ : bytes_; }
  // As the client has sent it, of the last request at least.
  [[nodiscard]] std::string_view original() const { return bytes_; }
  [[nodiscard]] uint32_t count() const { return count_; }
  [[nodiscard]] ReplyKeys reply_keys() const { return reply_keys_; }

 private:
  UpstreamFsm* to_ = nullptr;
  const std::string* rewritten_ = nullptr;
  std::string_view bytes_;
  uint32_t count_ = 0;
  ReplyKeys reply_keys_ = ReplyKeys::kNone;
};

}  // namespace partywall::cache
