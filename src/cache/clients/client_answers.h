#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/clients/client_register.h"
#include "cache/resp/request_parser.h"

// The answers to CLIENT: each tenant sees its own clients only.
namespace partywall::cache {

// CLIENT INFO: "id=3 addr=…"
std::string client_line(const ClientRecord& client, MonotonicTime now);
// CLIENT LIST with the conditions in `request`.
std::string client_list_answer(const Request& request, const std::vector<ClientRecord>& clients,
                               const ClientRecord& me, MonotonicTime now);
std::string client_help_answer();

// CLIENT SETNAME and HELLO refuse names with spaces and control characters, as Redis does.
bool is_client_name(std::string_view name);
// CLIENT NO-EVICT and NO-TOUCH ON or OFF. Connections to Redis are shared: nothing changes with it,
// but libraries ask for it.
std::string switch_answer(const Request& request, std::string_view command);

}  // namespace partywall::cache
