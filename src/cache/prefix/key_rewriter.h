#pragma once

#include <string>
#include <string_view>

#include "cache/commands/key_layout.h"
#include "cache/resp/request_parser.h"

namespace partywall::cache {

// Appends the request with `prefix` before each of its keys; everything else stays as it is to the
// byte. An empty prefix is not for this.
void append_with_prefixed_keys(std::string& out, const Request& request, const KeyLayout& layout,
                               std::string_view prefix);

// Does this SORT have a GET, or a BY with a pattern? Redis allows them only to users who may read
// every key.
bool sort_reads_by_pattern(const Request& request, const KeyLayout& layout);

}  // namespace partywall::cache
