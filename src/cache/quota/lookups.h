#pragma once

#include <algorithm>
#include <cstdint>

#include "cache/ring_queue.h"

namespace partywall::cache {

// Which of a session's unanswered requests look for keys, so that what comes back can be counted as
// hits and misses. Requests and answers are numbered since the session began.
class Lookups {
 public:
  struct Found {
    uint64_t hits = 0;
    uint64_t misses = 0;
  };

  // The request whose answer is number `position` looks for so many keys.
  void asked(uint64_t position, uint32_t keys) {
    const bool continues = !runs_.empty() && runs_.back().keys == keys &&
                           runs_.back().first + runs_.back().count == position;
    if (continues) {
      ++runs_.back().count;
    } else {
      runs_.push({.first = position, .count = 1, .keys = keys});
    }
  }

  // The answer has so many nulls. In the order of the answers.
  void found_nulls(uint64_t position, uint32_t nulls) {
    while (cursor_ < runs_.size() && runs_.at(cursor_).first + runs_.at(cursor_).count <= position)
      ++cursor_;
    if (cursor_ < runs_.size() && runs_.at(cursor_).first <= position)
      misses_ += std::min(nulls, runs_.at(cursor_).keys);
  }

  // All answers before this one are there.
  Found answered(uint64_t before) {
    Found found{.hits = 0, .misses = misses_};
    uint64_t keys = 0;
    while (!runs_.empty() && runs_.front().first < before) {
      Run& run = runs_.front();
      const uint64_t done = std::min(before - run.first, run.count);
      keys += done * run.keys;
      run.first += done;
      run.count -= done;
      if (run.count > 0) break;
      runs_.pop();
    }
    found.hits = keys - std::min(keys, misses_);
    misses_ = 0;
    cursor_ = 0;
    return found;
  }

  // Those that are not answered will not be.
  void clear() { *this = {}; }
  [[nodiscard]] bool empty() const { return runs_.empty(); }

 private:
  struct Run {
    uint64_t first = 0;
    uint64_t count = 0;
    uint32_t keys = 0;
  };

  RingQueue<Run> runs_;
  size_t cursor_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace partywall::cache
