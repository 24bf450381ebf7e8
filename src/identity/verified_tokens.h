#pragma once

#include <list>
#include <string_view>
#include <unordered_map>

#include "base/keyed_hash.h"
#include "base/secret.h"
#include "identity/jwt.h"

namespace partywall {

struct VerifiedTokensLimits {
  // Beyond either of these the least recently used one is dropped.
  size_t max_tokens = 10'000;                // about 300 bytes each, and the token itself
  size_t max_token_bytes = 8 * 1024 * 1024;  // of all tokens together
  milliseconds max_age = seconds(60);
};

// Remembers tokens that were verified, because verifying one costs several times what the rest of a
// request does. Only success is remembered, and only for the same bytes: a token is found by a hash
// whose key nobody knows, so that nobody makes tokens that collide, and then compared as a whole in
// constant time (a SHA-256 over it would cost as much as a third of a request). It is forgotten
// when it expires or max_age has passed. Whether the tenant is served is not part of it: that is
// looked up in the directory for each request. One per worker; not thread-safe.
class VerifiedTokens {
 public:
  explicit VerifiedTokens(VerifiedTokensLimits limits = {});

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
    uint64_t hash;
    Secret token;
    VerifiedJwt verified;
    WallTime verified_at;
    WallTime usable_until;
  };
  using Entries = std::list<Entry>;  // the most recently used first

  const VerifiedJwt* find(uint64_t hash, std::string_view token, WallTime now);
  const VerifiedJwt* remember(Entry entry);
  void forget(Entries::iterator entry);
  void make_room(size_t token_bytes, WallTime now);

  KeyedHash hash_;
  VerifiedTokensLimits limits_;
  uint64_t generation_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  size_t token_bytes_ = 0;
  Entries entries_;
  std::unordered_map<uint64_t, Entries::iterator> by_hash_;
};

}  // namespace partywall
