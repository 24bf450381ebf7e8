#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "store/platform_file.h"
#include "support/fake_files.h"

// Any text is either a platform file, and then one that the doors can use, or has at least one
// error with a place inside the text.
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace partywall;
  static store::FakeFiles files = store::fuzz_seed_files();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Diagnostics diagnostics;
  const auto platform = store::read_platform_file(text, files, diagnostics);
  require(platform.has_value() != diagnostics.has_errors());
  if (platform) require(Directory::build(platform->directory).has_value());
  // One line more than there are: where something is missing at the end.
  const auto lines = static_cast<uint32_t>(std::ranges::count(text, '\n')) + 2;
  for (const Diagnostic& found : diagnostics.items()) {
    require(found.where.line <= lines);
    require((found.where.line == 0) == (found.where.column == 0));
    require(!found.message.empty());
  }
  return 0;
}
