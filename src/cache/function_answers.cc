#include "cache/function_answers.h"

#include <algorithm>

#include "base/ascii.h"
#include "cache/glob.h"
#include "cache/local_answers.h"

namespace partywall::cache {
namespace {

void append_library(std::string& out, const CacheFunctionLibrary& library, Protocol protocol) {
  append_map_header(out, protocol, 3);
  append_bulk(out, "library_name");
  append_bulk(out, library.name);
  append_bulk(out, "engine");
  append_bulk(out, "LUA");
  append_bulk(out, "functions");
  append_array_header(out, library.functions.size());
  for (const std::string& function : library.functions) {
    append_map_header(out, protocol, 3);
    append_bulk(out, "name");
    append_bulk(out, function);
    append_bulk(out, "description");
    append_null(out, protocol);
    append_bulk(out, "flags");
    append_array_header(out, 0);
  }
}

}  // namespace

bool provides_function(const CacheBackend& backend, std::string_view name) {
  return std::ranges::any_of(backend.functions, [&](const CacheFunctionLibrary& library) {
    return std::ranges::any_of(library.functions, [&](const std::string& function) {
      return equal_ignoring_case(function, name);
    });
  });
}

std::string function_list_answer(const Request& request, const CacheBackend& backend,
                                 Protocol protocol) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  std::string pattern = "*";
  while (const auto option = cursor.next()) {
    if (equal_ignoring_case(*option, "withcode"))
      return make_error("NOPERM the code of functions is not shown here");
    if (!equal_ignoring_case(*option, "libraryname") || cursor.left() == 0)
      return make_error("ERR Unknown argument " + std::string(option->substr(0, 128)));
    pattern = to_lower(*cursor.next());
  }
  std::string libraries;
  size_t count = 0;
  for (const CacheFunctionLibrary& library : backend.functions) {
    if (!glob_matches(pattern, to_lower(library.name))) continue;
    append_library(libraries, library, protocol);
    ++count;
  }
  std::string out;
  append_array_header(out, count);
  return out + libraries;
}

}  // namespace partywall::cache
