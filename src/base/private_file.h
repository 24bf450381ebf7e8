#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

// Files that only their owner may read, and that are never seen half-written.
namespace partywall {

// Replaces the file as a whole; mode 0600. Even after a power cut it is the old or the new one.
Result<> write_private_file(const std::string& path, std::string_view content);

Result<std::string> read_private_file(const std::string& path);

// With its parents; mode 0700. One that is there already is left as it is.
Result<> make_private_directory(const std::string& path);

}  // namespace partywall
