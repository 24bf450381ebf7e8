#pragma once

#include <string>
#include <vector>

#include "store/platform_file.h"
#include "support/fake_files.h"

namespace partywall::store {

// A file of the source tree; throws where it is not there.
std::string read_source_file(std::string_view path);

// examples/platform.yaml, and in memory the files that it names.
std::string example_text();
FakeFiles example_files();

// What is reported about a text, one line each: "platform.yaml:1:1: error: …".
std::vector<std::string> problems_of(std::string_view text);
std::vector<std::string> problems_of(std::string_view text, FakeFiles files);

}  // namespace partywall::store
