#pragma once

#include "base/json.h"

namespace partywall::admin {

// What bodies look like: JSON Schema (2020-12) by name.
JsonValue openapi_schemas();

}  // namespace partywall::admin
