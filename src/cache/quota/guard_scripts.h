#pragma once

#include <string_view>

// What the door has Redis carry out where a tenant has reached its quota and evicts. As the
// tenant's own user, so that no other tenant's keys are within reach, whatever is written here.
namespace partywall::cache {

// Both look at a few keys at random for each one that goes, and keep the best candidates for the
// next: near to what an exact order by use would choose. OBJECT tells the seconds since a key was
// used, or, where the maxmemory-policy of the server counts uses (LFU), how often.

// ARGV: evict until there are so many keys; at most so many now. Answers: keys left, keys evicted.
extern const std::string_view kEvictKeysScript;

// ARGV: free so many bytes; evict at most so many keys now. Answers: keys evicted, bytes freed.
extern const std::string_view kEvictBytesScript;

// ARGV: cursor, how many keys. Answers: the next cursor, bytes of these keys. Of what has many
// elements a hundred are measured.
extern const std::string_view kWeighScript;

}  // namespace partywall::cache
