#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"

// The part of YAML that configuration needs, without the parts that surprise: no anchors, aliases
// or tags, no key twice, one document, UTF-8, bounded. base/yaml_map.h reads typed values out of
// it.
namespace partywall {

struct YamlEntry;

// One value with its place in the file. A scalar keeps the text that was written: what it means is
// decided by whoever reads it, never guessed (plain `no` is not false, 0644 is not 420).
struct YamlNode {
  enum class Kind {
    kInvalid,  // was reported already: readers pass over it silently
    kEmpty,    // nothing after the colon, ~ or null
    kPlain,    // text without quotes
    kQuoted,   // text in quotes, or a block scalar
    kList,
    kMap,
  };

  Kind kind = Kind::kEmpty;
  SourcePosition where;
  std::string text;                // kPlain, kQuoted
  std::vector<YamlNode> items;     // kList
  std::vector<YamlEntry> entries;  // kMap, in the order of the file, each key once

  [[nodiscard]] const YamlEntry* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  SourcePosition where;
  YamlNode value;
};

struct YamlLimits {
  size_t max_bytes = 16 << 20;  // 10,000 tenants need about 4 MiB
  size_t max_depth = 24;
  size_t max_nodes = 1'000'000;
};

// Reports everything that breaks the rules above. The result is nothing where the text has no
// structure that could be read on (a syntax error); else a tree to go on with, so that the reader
// can report its own findings too, even if errors were found here.
std::optional<YamlNode> parse_yaml(std::string_view text, Diagnostics& diagnostics,
                                   const YamlLimits& limits = {});

// What another YAML reader would make of this plain text instead of text ("a boolean", "a number",
// "nothing"), empty if it is text to all.
std::string_view plain_text_ambiguity(std::string_view plain);

}  // namespace partywall
