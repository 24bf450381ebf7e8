#include "base/secret.h"

#include <openssl/crypto.h>

#include "base/crypto.h"

namespace partywall {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = std::move(other.value_);
    other.wipe();
  }
  return *this;
}

bool Secret::equals(std::string_view candidate) const {
  return constant_time_equal(value_, candidate);
}

void Secret::wipe() {
  // The whole capacity: a moved-from or shortened string may keep old bytes behind its end.
  value_.resize(value_.capacity());
  OPENSSL_cleanse(value_.data(), value_.size());
  value_.clear();
}

}  // namespace partywall
