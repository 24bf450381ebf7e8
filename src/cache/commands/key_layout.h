#pragma once

#include <cstdint>

namespace partywall::cache {

// Where the keys of a command are among its arguments; argument 0 is the command's name. Generated
// from the key specifications of COMMAND: https://redis.io/docs/reference/key-specs
struct KeyLayout {
  enum class Form : uint8_t {
    kNone,
    kRange,      // `first` to `last`, every `step`-th one
    kCounted,    // argument `first` says how many keys follow it
    kSort,       // SORT: options name keys and patterns of keys
    kGeoRadius,  // GEORADIUS: options from argument `first` on may name a destination
    kStreams,    // XREAD, XREADGROUP: the first half of what follows STREAMS
  };

  Form form = Form::kNone;
  uint8_t first = 0;
  int8_t last = 0;  // negative: from the end, -1 is the last argument
  uint8_t step = 1;
  // Of kCounted: a destination comes before the number, as argument 1.
  enum class Destination : uint8_t { kNone, kFirstArgument } destination = Destination::kNone;
};

// Where a reply names keys.
enum class ReplyKeys : uint8_t {
  kNone,
  kFirst,    // the first element of an array: BLPOP, LMPOP …
  kStreams,  // the names of streams: pairs in RESP2, the keys of a map in RESP3
};

}  // namespace partywall::cache
