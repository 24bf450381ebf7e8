#pragma once

#include <string>
#include <string_view>

#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"
#include "tenancy/cell.h"

// Functions live in a Redis for all its users alike: the operator provides them, tenants call them.
namespace partywall::cache {

// May tenants of the cell call it? Names are as they are in Redis, whatever the case.
bool provides_function(const CacheBackend& backend, std::string_view name);
// FUNCTION LIST [LIBRARYNAME pattern]: what the tenant may call.
std::string function_list_answer(const Request& request, const CacheBackend& backend,
                                 Protocol protocol);

}  // namespace partywall::cache
