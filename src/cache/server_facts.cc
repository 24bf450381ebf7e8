#include "cache/server_facts.h"

#include "base/text.h"

namespace partywall::cache {
namespace {

void learn_line(std::string_view info, std::string_view name, std::string& value) {
  const size_t begin = info.find(name);
  if (begin == std::string_view::npos) return;
  const std::string_view rest = info.substr(begin + name.size());
  value = rest.substr(0, rest.find_first_of("\r\n"));
}

}  // namespace

void ServerFacts::learn(std::string_view info) {
  if (info.starts_with(':')) {
    connection_id = parse_unsigned(info.substr(1, info.find('\r') - 1)).value_or(0);
    return;
  }
  learn_line(info, "\nredis_version:", version);
  learn_line(info, "\nmaxmemory_policy:", eviction_policy);
}

}  // namespace partywall::cache
