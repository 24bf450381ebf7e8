#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/time.h"
#include "migrate/copy/copy_chunk.h"
#include "migrate/copy/session.h"

namespace partywall::migrate {

// Told what happens; by any of the workers, at any time.
class CopyObserver {
 public:
  virtual ~CopyObserver() = default;
  // Rows and bytes of a chunk were sent to the target.
  virtual void moved(const std::string& relation, uint64_t rows, uint64_t bytes) = 0;
  // They were rolled back with the chunk, which is tried again after `pause`.
  virtual void interrupted(const Chunk& chunk, uint64_t rows, uint64_t bytes, const Error& error,
                           Duration pause) = 0;
  virtual void chunk_done(const Chunk& chunk) = 0;
};

struct CopySettings {
  uint32_t workers = 2;              // each with a connection to either side
  uint64_t bytes_per_second = 0;     // of all workers together; 0: as fast as it goes
  uint64_t blocks_per_chunk = 4096;  // 32 MiB: what is done again after an interruption
  size_t piece_bytes = 256 * 1024;
  // A connection that fails is made anew; after so many failures in a row without a chunk between
  // them the copy ends. With the pauses below that is about a minute.
  uint32_t max_failures = 15;
  BackoffSettings backoff;
  std::function<void(Duration)> sleep;
};

struct CopyTask {
  std::string target;  // connection string
  MigrationRecord migration;
  std::map<std::string, Relation> relations;
  std::vector<Chunk> chunks;
};

struct CopyOutcome {
  // Relations whose rows the target refused for a key or a check, with what it said; their other
  // chunks were left out.
  std::map<std::string, std::string> refused;
};

// Copies the chunks that are not there yet. Fails when something other than a lost connection goes
// wrong, or connections stay lost; what is copied then stays copied.
Result<CopyOutcome> copy_chunks(const CopyTask& task, Snapshot& source,
                                const CopySettings& settings, const TimeSource& time,
                                CopyObserver& observer);

}  // namespace partywall::migrate
