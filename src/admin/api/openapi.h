#pragma once

#include <string>

#include "admin/api/endpoint.h"

namespace partywall::admin {

// The OpenAPI 3.1 document of the endpoints (https://spec.openapis.org/oas/v3.1.0): made from the
// same table that serves them. docs/reference/openapi.json is a copy, kept equal by a unit test.
std::string openapi_document(const ApiEndpoints& endpoints);

// The statuses that an endpoint may answer with, in their order.
std::vector<uint16_t> statuses_of(const ApiEndpoint& endpoint);

}  // namespace partywall::admin
