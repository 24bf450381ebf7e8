#pragma once

#include <cstdint>
#include <string_view>

#include "cache/commands/key_layout.h"

namespace partywall::cache {

enum class ArgumentRole : uint8_t {
  kOther,
  kKey,
  kKeyPattern,  // SORT BY and GET: Redis puts elements in the place of '*' to make keys of it
};

// Goes through the arguments of one request in their order and says which of them are keys. It
// needs nothing but the arguments so far and how many there are, so that a request can be rewritten
// while it arrives.
//
// Options are read as Redis reads them when it executes the command. From where Redis answers with
// a syntax error, every argument counts as a key: then no mistake can leave a key without prefix.
class KeyWalk {
 public:
  // `layout` must outlive it; the count is with the name.
  KeyWalk(const KeyLayout& layout, uint32_t argument_count)
      : layout_(layout), count_(argument_count) {}

  // The role of the next argument, beginning with the command's name.
  ArgumentRole next(std::string_view argument);
  // No argument from here on is a key.
  [[nodiscard]] bool no_more_keys() const;

 private:
  ArgumentRole in_range() const;
  ArgumentRole counted(std::string_view argument);
  ArgumentRole option(std::string_view argument);
  ArgumentRole sort_option(std::string_view option);
  ArgumentRole geo_option(std::string_view option);
  ArgumentRole streams_option(std::string_view option);
  ArgumentRole following(uint32_t arguments, ArgumentRole role);
  ArgumentRole not_understood();
  [[nodiscard]] uint32_t left() const { return count_ - at_ - 1; }  // behind the current argument

  const KeyLayout& layout_;
  uint32_t count_;
  uint32_t at_ = 0;  // the current argument
  // So many arguments behind the current one have this role.
  uint32_t following_ = 0;
  ArgumentRole role_ = ArgumentRole::kOther;
  bool ended_ = false;  // past the last key of kCounted and kStreams
};

}  // namespace partywall::cache
