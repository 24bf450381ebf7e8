#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "net/event.h"
#include "net/stream.h"

namespace partywall::test {

// Breaks one operation: to try a failure at every step of a scenario, run it once without, ask how
// many operations there were, and run it again with each number below that.
struct MemoryNetworkFaults {
  uint64_t operations = 0;  // reads and writes that moved bytes or saw the end, so far
  uint64_t failing = UINT64_MAX;

  // True: this operation is the one.
  bool strikes() { return operations++ == failing; }
};

// How unfriendly the network in between is.
struct MemoryNetworkSettings {
  size_t capacity_bytes = 64 * 1024;  // unread bytes in one direction before writes would block
  size_t most_per_read = SIZE_MAX;    // 1: every read returns a single byte
  size_t most_per_write = SIZE_MAX;
  MemoryNetworkFaults* faults = nullptr;
};

// The two ends of a connection in memory. Reading, writing and closing one end fires what the other
// end has armed.
std::pair<std::unique_ptr<net::Stream>, std::unique_ptr<net::Stream>> make_stream_pair(
    MemoryNetworkSettings settings = {}, Endpoint first_address = {"10.0.0.1", 1000},
    Endpoint second_address = {"10.0.0.2", 2000});

}  // namespace partywall::test
