#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"
#include "cache/server_facts.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

// What the door answers itself, each tenant as if it were alone on the server.
namespace partywall::cache {

// What the answers may say about the client.
struct ClientView {
  uint64_t id = 0;
  Protocol protocol = Protocol::kResp2;
  uint32_t database = 0;
  std::string_view user;
};

std::string hello_answer(const ClientView& client, std::string_view version);
std::string role_answer();
// The few parameters that clients ask for; patterns as in Redis.
std::string config_get_answer(const Request& request, const Tenant& tenant,
                              const CacheBackend& backend, Protocol protocol);
// `dbsize_reply`: what the tenant's DBSIZE gave.
std::string info_answer(std::string_view dbsize_reply, const ServerFacts& facts,
                        const Tenant& tenant, const ClientView& client);

// Text for people, as INFO gives it: in RESP3 a verbatim string.
std::string verbatim(std::string_view text, Protocol protocol);
std::string help_answer(std::initializer_list<std::string_view> lines);
// "ERR wrong number of arguments for 'get' command"
std::string wrong_arguments(std::string_view command);

}  // namespace partywall::cache
