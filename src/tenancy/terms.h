#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "tenancy/tenant.h"

// What a tier grants, term by term and by name: how the control store, the admin API and overrides
// of single tenants say it. Each name has its unit at its end; values are JSON numbers, a rate is
// {"tokens": 100, "period_ms": 60000, "burst": 10}.
namespace partywall {

struct Terms {
  Limits limits;
  AlarmThresholds alarms;
  uint32_t weight = 1;

  bool operator==(const Terms&) const = default;
};

[[nodiscard]] Terms terms_of(const Tier& tier);
[[nodiscard]] Terms terms_of(const Tenant& tenant);
void apply(const Terms& terms, Tier& tier);
void apply(const Terms& terms, Tenant& tenant);

// In the order of the reference.
[[nodiscard]] std::span<const std::string_view> term_names();

// Changes one term. kNotFound for a name that is none, with a suggestion; kInvalid for a value of
// another type or out of the term's bounds: nothing is changed then.
Result<> set_term(Terms& terms, std::string_view name, const JsonValue& value);
// `name` must be one of term_names().
[[nodiscard]] JsonValue get_term(const Terms& terms, std::string_view name);

// An object of all terms.
[[nodiscard]] JsonValue to_json(const Terms& terms);
// Sets the terms that the object has; the others stay.
Result<> set_terms(Terms& terms, const JsonValue& object);
// An object of those terms in which `terms` differs from `base`.
[[nodiscard]] JsonValue difference(const Terms& terms, const Terms& base);

}  // namespace partywall
