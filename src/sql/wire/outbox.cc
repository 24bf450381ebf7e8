#include "sql/wire/outbox.h"

#include <algorithm>

namespace partywall::sql {
namespace {
// A borrowed run up to this size is copied behind what we composed, so that both leave in one send.
constexpr size_t kMergeLimit = 16 * 1024;
// More than this is not kept by an idle session.
constexpr size_t kKeptCapacity = 4 * 1024;
}  // namespace

void Outbox::relay(std::string_view bytes) {
  if (bytes.empty()) return;
  if (borrowed_.empty()) {
    borrowed_ = bytes;
  } else if (borrowed_.data() + borrowed_.size() == bytes.data()) {
    borrowed_ = {borrowed_.data(), borrowed_.size() + bytes.size()};
  } else {
    keep();
    borrowed_ = bytes;
  }
}

std::string& Outbox::tail() {
  keep();
  return owned_;
}

std::string_view Outbox::front() {
  if (owned_.empty()) return borrowed_;
  if (borrowed_.size() <= kMergeLimit) keep();
  return std::string_view(owned_).substr(sent_);
}

void Outbox::sent(size_t count) {
  if (owned_.empty()) {
    borrowed_.remove_prefix(count);
    return;
  }
  sent_ += count;
  if (sent_ < owned_.size()) return;
  sent_ = 0;
  owned_.clear();
  release_memory();
}

void Outbox::keep() {
  owned_.append(borrowed_);
  borrowed_ = {};
}

void Outbox::clear() {
  borrowed_ = {};
  sent_ = 0;
  owned_.clear();
  release_memory();
}

void Outbox::release_memory() {
  if (owned_.capacity() > kKeptCapacity) std::string().swap(owned_);
}

}  // namespace partywall::sql
