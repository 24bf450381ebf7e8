#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"
#include "cache/server_facts.h"
#include "tenancy/tenant.h"

// What the door answers itself, each tenant as if it were alone on the server.
namespace partywall::cache {

// What the answers may say about the client.
struct ClientView {
  uint64_t id = 0;
  Protocol protocol = Protocol::kResp2;
  std::string_view address;
  std::string_view name;  // CLIENT SETNAME
  std::string_view user;
};

std::string hello_answer(const ClientView& client, std::string_view version);
std::string role_answer();
// CLIENT ID, INFO, LIST, GETNAME, GETREDIR, NO-EVICT, REPLY, HELP; not SETNAME.
std::string client_answer(const Request& request, const ClientView& client);
// CLIENT and HELLO refuse names with spaces and control characters, as Redis does.
bool is_client_name(std::string_view name);
// The few parameters that clients ask for; patterns as in Redis.
std::string config_get_answer(const Request& request, const Tenant& tenant, Protocol protocol);
// `dbsize_reply`: what the tenant's DBSIZE gave.
std::string info_answer(std::string_view dbsize_reply, const ServerFacts& facts,
                        const Tenant& tenant, Protocol protocol);

// "ERR wrong number of arguments for 'get' command"
std::string wrong_arguments(std::string_view command);

}  // namespace partywall::cache
