#pragma once

#include <string_view>

// What the door has Redis carry out where a tenant is near its quota. Each has two forms. In
// database mode it runs as the tenant's own user, so that no other tenant's keys are within reach,
// whatever is written here. In prefix mode it goes by the tenant's index: KEYS[1] is the index, the
// last of ARGV what the tenant's keys begin with, and every key that it touches is made of that and
// a name of the index.
namespace partywall::cache {

struct GuardScript {
  std::string_view of_database;
  std::string_view of_index;
};

// The first two look at a few keys at random for each one that goes, and keep the best candidates
// for the next: near to what an exact order by use would choose. OBJECT tells the seconds since a
// key was used, or, where the maxmemory-policy of the server counts uses (LFU), how often. They
// look at 1,024 keys at most. Behind the ARGV that are named below come the tenant's key spaces, if
// it has any, the longest prefixes first: '+' and the prefix where keys may be evicted, '-' and the
// prefix where not.

// ARGV: evict until there are so many keys; at most so many now. Answers: keys left, keys evicted.
extern const GuardScript kEvictKeysScript;

// ARGV: free so many bytes; evict at most so many keys now. Answers: keys evicted, bytes freed.
extern const GuardScript kEvictBytesScript;

// ARGV: cursor, how many keys. Answers: the next cursor, bytes of these keys. Of what has many
// elements a hundred are measured.
extern const GuardScript kWeighScript;

// ARGV: cursor, how many names. Takes those out of the index whose keys are gone. Answers: the next
// cursor, names left.
extern const std::string_view kLookThroughScript;

// ARGV: names. The same with these. Answers: names left, names taken out.
extern const std::string_view kVerifyNamesScript;

// Of the survey, which has no KEYS: it goes through the keys of all tenants. ARGV: cursor, how many
// keys. Writes down those that are missing in the index of their prefix, and takes out a few names
// whose keys are gone. Answers: the next cursor, how many keys were missing.
extern const std::string_view kSurveyScript;

}  // namespace partywall::cache
