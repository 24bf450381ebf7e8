#pragma once

#include <cstdint>
#include <string>

namespace partywall::fleet {

struct LogRotationSettings {
  uint64_t max_bytes = uint64_t{16} << 20;  // of the current file, before it is rotated
  unsigned keep = 3;                        // older files: <path>.1 is the youngest
};

// Rotates the file if it has grown too large; returns whether it did. The writer keeps its file
// open for appending and is not asked: the content is copied to <path>.1, then the file is emptied.
// So instances write to a plain file (no pipe of ours that could break when we restart), and lines
// that are written in the moment between copy and emptying are lost.
bool rotate_log(const std::string& path, const LogRotationSettings& settings);

}  // namespace partywall::fleet
