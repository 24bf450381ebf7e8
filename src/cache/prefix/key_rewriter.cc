#include "cache/prefix/key_rewriter.h"

#include <cstring>
#include <initializer_list>

#include "base/ascii.h"
#include "cache/prefix/key_walk.h"
#include "cache/resp/number.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

// SORT GET # is the element itself; BY without '*' means not to sort, and names nothing.
bool makes_keys(std::string_view pattern) { return pattern.find('*') != std::string_view::npos; }

// As with most commands.
bool only_key_is_first_argument(const KeyLayout& layout) {
  return layout.form == KeyLayout::Form::kRange && layout.first == 1 && layout.last == 1;
}

void append_prefixed(std::string& out, size_t length, std::string_view prefix) {
  append_bulk_header(out, prefix.size() + length);
  out += prefix;
}

// What goes on in every request: one look at how much room there is, not one for each piece.
void append_pieces(std::string& out, std::initializer_list<std::string_view> pieces) {
  size_t size = out.size();
  const size_t begin = size;
  for (const std::string_view piece : pieces) size += piece.size();
  out.resize_and_overwrite(size, [&](char* data, size_t) {
    char* to = data + begin;
    for (const std::string_view piece : pieces) {
      std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
    }
    return size;
  });
}

}  // namespace

void append_with_prefixed_keys(std::string& out, const Request& request, const KeyLayout& layout,
                               std::string_view prefix) {
  const std::string_view bytes = request.bytes;
  if (only_key_is_first_argument(layout) && request.argument_count > 1) {
    // The parser has found it: there is no need to walk there.
    const auto name_end = static_cast<size_t>(request.name.end() - bytes.begin());
    const auto key = static_cast<size_t>(request.first.begin() - bytes.begin());
    const BulkHeader header(prefix.size() + request.first.size());
    append_pieces(out, {bytes.substr(0, name_end + 2), header.view(), prefix, bytes.substr(key)});
    return;
  }
  KeyWalk walk(layout, request.argument_count);
  size_t copied = 0;
  size_t at = read_number_line(bytes, 1).end;
  for (uint32_t index = 0; index < request.argument_count && !walk.no_more_keys(); ++index) {
    const NumberLine length = read_number_line(bytes, at + 1);
    const std::string_view argument = bytes.substr(length.end, length.value);
    const ArgumentRole role = walk.next(argument);
    if (role == ArgumentRole::kKey || (role == ArgumentRole::kKeyPattern && makes_keys(argument))) {
      out.append(bytes, copied, at - copied);
      append_prefixed(out, argument.size(), prefix);
      copied = length.end;
    }
    at = length.end + length.value + 2;
  }
  out.append(bytes, copied);
}

bool sort_reads_by_pattern(const Request& request, const KeyLayout& layout) {
  KeyWalk walk(layout, request.argument_count);
  ArgumentCursor cursor(request);
  std::string_view option;
  while (const auto argument = cursor.next()) {
    const bool pattern = walk.next(*argument) == ArgumentRole::kKeyPattern;
    if (pattern && (equal_ignoring_case(option, "get") || makes_keys(*argument))) return true;
    option = *argument;
  }
  return false;
}

}  // namespace partywall::cache
