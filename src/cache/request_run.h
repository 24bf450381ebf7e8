#pragma once

#include <cassert>
#include <cstdint>
#include <string_view>

namespace partywall::cache {

class UpstreamFsm;

// Requests that follow each other in the client's bytes and go to the same connection: they are
// passed on in one piece.
class RequestRun {
 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool continues(const UpstreamFsm& to, std::string_view request) const {
    return to_ == &to && bytes_.data() + bytes_.size() == request.data();
  }
  // Only where it continues, or is empty.
  void add(UpstreamFsm& to, std::string_view request) {
    assert(empty() || continues(to, request));
    if (empty()) bytes_ = {request.data(), 0};
    bytes_ = {bytes_.data(), bytes_.size() + request.size()};
    to_ = &to;
    ++count_;
  }
  void clear() { *this = {}; }

  [[nodiscard]] UpstreamFsm* to() const { return to_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] uint32_t count() const { return count_; }

 private:
  UpstreamFsm* to_ = nullptr;
  std::string_view bytes_;
  uint32_t count_ = 0;
};

}  // namespace partywall::cache
