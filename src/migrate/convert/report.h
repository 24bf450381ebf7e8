#pragma once

#include <string>

#include "base/time.h"
#include "migrate/convert/convert.h"

namespace partywall::migrate {

enum class Stage : uint8_t { kPlanned, kCarriedOut };

// A planned conversion as an SQL script with reasons, what is refused and what breaks as comments;
// one that was carried out as a list.
[[nodiscard]] std::string to_conversion_text(const ConversionPlan& plan, Stage stage,
                                             Duration lock_timeout);

// {"source", "target", "carried_out", "tables": [{"table", "class"}], "steps": [{"sql", "reason"}],
// "refusals", "breaks", "findings": [{"level", "object", "message", "remedy"}]}
[[nodiscard]] std::string to_conversion_json(const ConversionPlan& plan, Stage stage);

}  // namespace partywall::migrate
