#include "identity/verified_tokens.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace partywall {
namespace {

KeyedHash hash_of_its_own() {
  SystemRandom random;
  return KeyedHash(random);
}

}  // namespace

VerifiedTokens::VerifiedTokens(VerifiedTokensLimits limits)
    : hash_(hash_of_its_own()), limits_(limits) {}

Result<const VerifiedJwt*> VerifiedTokens::verify(const JwtVerifier& verifier, uint64_t generation,
                                                  std::string_view token, WallTime now) {
  if (token.size() > kMaxJwtLength)
    return fail(ErrorKind::kDenied, "the token has more than {} bytes", kMaxJwtLength);
  if (generation != generation_) {
    clear();
    generation_ = generation;
  }
  const uint64_t hash = hash_(token);
  if (const VerifiedJwt* known = find(hash, token, now)) {
    ++hits_;
    return known;
  }
  ++misses_;
  auto verified = verifier.verify(token, now);
  if (!verified) return std::unexpected(verified.error());
  const WallTime usable_until = std::min(verified->expires_at, now + limits_.max_age);
  return remember({hash, Secret(std::string(token)), std::move(*verified), now, usable_until});
}

const VerifiedJwt* VerifiedTokens::find(uint64_t hash, std::string_view token, WallTime now) {
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return nullptr;
  const auto entry = found->second;
  if (!entry->token.equals(token)) return nullptr;
  // A clock that was set back must not make an entry live longer.
  if (now >= entry->usable_until || now < entry->verified_at) {
    forget(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return &entry->verified;
}

const VerifiedJwt* VerifiedTokens::remember(Entry entry) {
  const size_t bytes = entry.token.reveal().size();
  make_room(bytes, entry.verified_at);
  if (const auto same_hash = by_hash_.find(entry.hash); same_hash != by_hash_.end()) {
    forget(same_hash->second);
  }
  entries_.push_front(std::move(entry));
  by_hash_[entries_.front().hash] = entries_.begin();
  token_bytes_ += bytes;
  return &entries_.front().verified;
}

// Tokens that nobody may use any more do not stay in memory while others come.
void VerifiedTokens::make_room(size_t token_bytes, WallTime now) {
  const auto is_full = [&] {
    return entries_.size() >= limits_.max_tokens ||
           token_bytes_ + token_bytes > limits_.max_token_bytes;
  };
  while (!entries_.empty() && (is_full() || now >= entries_.back().usable_until)) {
    forget(std::prev(entries_.end()));
  }
}

void VerifiedTokens::forget(Entries::iterator entry) {
  token_bytes_ -= entry->token.reveal().size();
  by_hash_.erase(entry->hash);
  entries_.erase(entry);
}

void VerifiedTokens::clear() {
  by_hash_.clear();
  entries_.clear();
  token_bytes_ = 0;
}

}  // namespace partywall
