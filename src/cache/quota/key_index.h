#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/commands/command_rule.h"
#include "cache/resp/request_parser.h"

// In prefix mode Redis knows only the keys of all tenants together. So the door keeps a set of the
// names of each tenant's keys beside them, its index: one for each database of the tenant. A name
// may be there whose key is gone (it has expired, say): whoever looks at it takes it out. A key may
// be there whose name is not yet, until the door that made it has written it down, or the survey
// has come past.
namespace partywall::cache {

// The key of the index of the keys that begin with `key_prefix`. No tenant can reach it, because no
// tenant's prefix begins so; in a cluster it is where the keys are, because it has their tag.
std::string key_index(std::string_view key_prefix);

// Where a tenant's keys are, for those who ask about its quota: by database, what its keys begin
// with. Empty in database mode.
using KeyPrefixes = std::vector<std::string>;

// Keys that are to be written down in the index of one database.
struct NewNames {
  uint32_t database = 0;  // the tenant's number of it
  uint32_t count = 0;
  std::string bulks;  // the names without prefix, as bulk strings
  // The tenant is so near to its quota that what is not written down yet may be in others' way.
  bool urgent = false;

  [[nodiscard]] bool empty() const { return count == 0; }
  // Of the same database.
  NewNames& operator+=(const NewNames& other);
};

// Of a command that makes one key at most and names no other, as nearly all do, which one that is.
std::optional<std::string_view> only_key_to_write_down(const Request& request,
                                                       const CommandRule& rule);

// The keys that the request may make, and perhaps others: `arguments_there` of its arguments have
// arrived. Not of COPY and MOVE, which tell the database too.
std::vector<std::string_view> keys_to_write_down(const Request& request, const CommandRule& rule,
                                                 uint32_t arguments_there);

}  // namespace partywall::cache
