#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"
#include "cache/transfer/dump_stream.h"
#include "cache/transfer/key_space.h"
#include "cache/transfer/pace.h"
#include "engines/redis.h"

// Moves the keys of one tenant out of a Redis and into one. Blocking; memory is bounded by
// TransferOptions::batch_bytes and a small multiple of the biggest value, which DUMP gives in one
// piece.
namespace partywall::cache {

struct TransferOptions {
  uint32_t scan_count = 512;                // keys that SCAN looks at in one step
  uint64_t batch_bytes = 8ULL << 20;        // about so much is asked for, or sent, at once
  uint64_t max_value_bytes = 512ULL << 20;  // a bigger one ends the transfer
};

struct TransferProgress {
  uint64_t keys = 0;
  uint64_t bytes = 0;  // of the payloads
};
// Called now and then.
using ProgressHook = std::function<void(const TransferProgress&)>;

// Writes all keys of the space, without its prefix. Keys that are there during the whole time are
// all written; one that is renamed or made meanwhile may be missing, so let the tenant be
// read-only. SCAN may give a key twice: the later one counts.
Result<TransferProgress> export_keys(redis::Connection& source, const KeySpace& space,
                                     const TransferOptions& options, DumpWriter& writer, Pace& pace,
                                     const ProgressHook& progress);

// Stores all keys of the stream in the space of their database, each under its prefix, whatever it
// is called. Keys that are there already are replaced; what has expired meanwhile is not made.
// kInvalid where there is no such database, or Redis refuses a payload: what came before it stays.
Result<TransferProgress> import_keys(redis::Connection& target, std::span<const KeySpace> spaces,
                                     const TransferOptions& options, DumpReader& reader, Pace& pace,
                                     const ProgressHook& progress);

// How many keys are in the space.
Result<uint64_t> count_keys(redis::Connection& connection, const KeySpace& space,
                            const TransferOptions& options);

// Deletes all of them; how many there were (of those that are made meanwhile, some may be left).
Result<uint64_t> erase_keys(redis::Connection& connection, const KeySpace& space,
                            const TransferOptions& options);

}  // namespace partywall::cache
