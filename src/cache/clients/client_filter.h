#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/clients/client_register.h"
#include "cache/resp/request_parser.h"

namespace partywall::cache {

// Which clients CLIENT LIST and CLIENT KILL are about: all conditions together, as in Redis.
struct ClientFilter {
  std::vector<uint64_t> ids;  // any of them; empty: all
  std::optional<std::string> address;
  std::optional<std::string> user;
  std::optional<bool> subscribed;  // TYPE pubsub, TYPE normal
  bool nobody = false;             // TYPE master or replica: there are none
  std::optional<uint64_t> min_age_seconds;
  bool skip_me = true;
  bool old_form = false;  // CLIENT KILL address: an error if there is none

  [[nodiscard]] bool matches(const ClientRecord& client, uint64_t me, MonotonicTime now) const;
};

// Of the words behind CLIENT LIST; the error is for the client.
Result<ClientFilter> parse_list_filter(const Request& request);
// Of the words behind CLIENT KILL.
Result<ClientFilter> parse_kill_filter(const Request& request);

}  // namespace partywall::cache
