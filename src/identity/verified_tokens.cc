#include "identity/verified_tokens.h"

#include <algorithm>
#include <cstring>

namespace partywall {

size_t VerifiedTokens::FirstBytes::operator()(const Sha256Digest& digest) const {
  size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

Result<const VerifiedJwt*> VerifiedTokens::verify(const JwtVerifier& verifier, uint64_t generation,
                                                  std::string_view token, WallTime now) {
  if (token.size() > kMaxJwtLength)
    return fail(ErrorKind::kDenied, "the token has more than {} bytes", kMaxJwtLength);
  if (generation != generation_) {
    clear();
    generation_ = generation;
  }
  const Sha256Digest digest = sha256(token);
  if (const VerifiedJwt* known = find(digest, now)) {
    ++hits_;
    return known;
  }
  ++misses_;
  auto verified = verifier.verify(token, now);
  if (!verified) return std::unexpected(verified.error());
  const WallTime usable_until = std::min(verified->expires_at, now + limits_.max_age);
  return remember({digest, std::move(*verified), now, usable_until});
}

const VerifiedJwt* VerifiedTokens::find(const Sha256Digest& digest, WallTime now) {
  const auto found = by_digest_.find(digest);
  if (found == by_digest_.end()) return nullptr;
  const auto entry = found->second;
  // A clock that was set back must not make an entry live longer.
  if (now >= entry->usable_until || now < entry->verified_at) {
    entries_.erase(entry);
    by_digest_.erase(found);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return &entry->token;
}

const VerifiedJwt* VerifiedTokens::remember(Entry entry) {
  while (!entries_.empty() && entries_.size() >= std::max<size_t>(limits_.max_tokens, 1)) {
    by_digest_.erase(entries_.back().digest);
    entries_.pop_back();
  }
  entries_.push_front(std::move(entry));
  by_digest_[entries_.front().digest] = entries_.begin();
  return &entries_.front().token;
}

void VerifiedTokens::clear() {
  by_digest_.clear();
  entries_.clear();
}

}  // namespace partywall
