#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/prefix/key_walk.h"

namespace partywall::cache {

// Puts the prefix before the keys of one request while it arrives. Of an argument it keeps only
// what an option or a number can be; longer ones pass through in pieces.
class KeyPrefixer {
 public:
  // `layout` must outlive it; not for SORT, whose patterns are for append_with_prefixed_keys().
  KeyPrefixer(const KeyLayout& layout, uint32_t argument_count, std::string prefix)
      : walk_(layout, argument_count), prefix_(std::move(prefix)) {}

  // The next bytes of its arguments, which have been checked. They may end anywhere but within the
  // line of a length. Appends what Redis is to get.
  void feed(std::string_view bytes, std::string& out);

 private:
  void begin_argument(std::string_view line, uint64_t length, std::string& out);
  void append_begin(ArgumentRole role, std::string_view line, uint64_t length,
                    std::string& out) const;

  KeyWalk walk_;
  std::string prefix_;
  uint64_t left_ = 0;        // bytes of the current argument, with CR LF
  bool collecting_ = false;  // what role it has is not known before its end
  std::string line_;         // of its length
  std::string word_;         // as far as it is there
};

}  // namespace partywall::cache
