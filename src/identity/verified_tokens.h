#pragma once

#include <list>
#include <string_view>
#include <unordered_map>

#include "base/crypto.h"
#include "identity/jwt.h"

namespace partywall {

struct VerifiedTokensLimits {
  size_t max_tokens = 10'000;  // about 300 bytes each; the least recently used one is dropped
  milliseconds max_age = seconds(60);
};

// Remembers tokens that were verified, because verifying one costs several times what the rest of a
// request does. Only success is remembered, under the SHA-256 of the whole token, until it expires
// or max_age has passed. Whether the tenant is served is not part of it: that is looked up in the
// directory for each request. One per worker; not thread-safe.
class VerifiedTokens {
 public:
  explicit VerifiedTokens(VerifiedTokensLimits limits = {}) : limits_(limits) {}

  // What verifier.verify() says, from memory if it was asked before. `generation` is another number
  // for each set of keys: when it changes, everything is forgotten. The pointer is valid until the
  // next call.
  Result<const VerifiedJwt*> verify(const JwtVerifier& verifier, uint64_t generation,
                                    std::string_view token, WallTime now);

  void clear();
  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] uint64_t hits() const { return hits_; }
  [[nodiscard]] uint64_t misses() const { return misses_; }

 private:
  struct Entry {
    Sha256Digest digest;
    VerifiedJwt token;
    WallTime verified_at;
    WallTime usable_until;
  };
  // A digest is uniformly distributed: its first bytes are as good a hash as any.
  struct FirstBytes {
    size_t operator()(const Sha256Digest& digest) const;
  };
  using Entries = std::list<Entry>;  // the most recently used first

  const VerifiedJwt* find(const Sha256Digest& digest, WallTime now);
  const VerifiedJwt* remember(Entry entry);

  VerifiedTokensLimits limits_;
  uint64_t generation_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  Entries entries_;
  std::unordered_map<Sha256Digest, Entries::iterator, FirstBytes> by_digest_;
};

}  // namespace partywall
