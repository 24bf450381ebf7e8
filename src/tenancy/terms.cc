#include "tenancy/terms.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "tenancy/cache_scripts.h"
#include "tenancy/key_spaces.h"

namespace partywall {
namespace {

constexpr uint64_t kMostTokens = 10'000'000;
constexpr uint64_t kMostBytes = 1ULL << 50;

// One term: how it is read from a Terms, and put into one.
struct Term {
  std::string_view name;
  JsonValue (*get)(const Terms&);
  Result<> (*set)(Terms&, const JsonValue&);
};

std::unexpected<Error> out_of_bounds(uint64_t least, uint64_t most) {
  return fail(ErrorKind::kInvalid, "must be a whole number, {} to {}", least, most);
}

Result<uint64_t> whole_number(const JsonValue& value, uint64_t least, uint64_t most) {
  // An int64_t that is not negative is a uint64_t as well.
  const auto positive = value.as_uint64();
  if (!positive || *positive < least || *positive > most) return out_of_bounds(least, most);
  return *positive;
}

template <class Integer>
Result<> set_number(Integer& into, const JsonValue& value, uint64_t least, uint64_t most) {
  const auto number = whole_number(value, least, most);
  if (!number) return std::unexpected(number.error());
  into = static_cast<Integer>(*number);
  return {};
}

template <class Unit>
Result<> set_duration(Duration& into, const JsonValue& value, uint64_t least, uint64_t most) {
  const auto number = whole_number(value, least, most);
  if (!number) return std::unexpected(number.error());
  into = Unit(*number);
  return {};
}

template <class Unit>
JsonValue count_of(Duration duration) {
  return JsonValue(int64_t{std::chrono::duration_cast<Unit>(duration).count()});
}

JsonValue rate_to_json(const RateLimit& rate) {
  return JsonValue(JsonObject{{"tokens", JsonValue(uint64_t{rate.tokens})},
                              {"period_ms", count_of<milliseconds>(rate.period)},
                              {"burst", JsonValue(uint64_t{rate.burst})}});
}

Result<> set_rate(RateLimit& into, const JsonValue& value) {
  const JsonObject* const members = value.as_object();
  if (!members)
    return fail(ErrorKind::kInvalid, "must be an object of tokens, period_ms and burst");
  RateLimit rate = into;
  for (const JsonMember& member : *members) {
    Result<> set;
    if (member.name == "tokens") {
      set = set_number(rate.tokens, member.value, 0, kMostTokens);
    } else if (member.name == "period_ms") {
      set = set_duration<milliseconds>(rate.period, member.value, 1, 3'600'000);
    } else if (member.name == "burst") {
      set = set_number(rate.burst, member.value, 1, kMostTokens);
    } else {
      set = fail(ErrorKind::kInvalid, "is no part of a rate: those are tokens, period_ms, burst");
    }
    if (!set) return fail(ErrorKind::kInvalid, "{} {}", member.name, set.error().message);
  }
  into = rate;
  return {};
}

Result<> set_share(double& into, const JsonValue& value) {
  const auto share = value.as_double();
  if (!share || !(*share >= 0.0 && *share <= 1.0))
    return fail(ErrorKind::kInvalid, "must be a number, 0 to 1");
  into = *share;
  return {};
}

Result<> set_at_quota(CacheAtQuota& into, const JsonValue& value) {
  const std::string* const text = value.as_string();
  for (const CacheAtQuota one : {CacheAtQuota::kRefuse, CacheAtQuota::kEvict}) {
    if (text == nullptr || *text != to_string(one)) continue;
    into = one;
    return {};
  }
  return fail(ErrorKind::kInvalid, "must be refuse or evict");
}

JsonValue key_spaces_to_json(const std::vector<CacheKeySpace>& spaces) {
  JsonArray array;
  for (const CacheKeySpace& space : spaces) {
    array.emplace_back(JsonObject{{"prefix", JsonValue(space.prefix)},
                                  {"at_quota", JsonValue(std::string(to_string(space.at_quota)))}});
  }
  return JsonValue(std::move(array));
}

Result<> read_key_space(CacheKeySpace& space, const JsonValue& value) {
  const JsonObject* const members = value.as_object();
  const bool whole = members != nullptr && value.find("prefix") && value.find("at_quota");
  if (!whole || members->size() != 2)
    return fail(ErrorKind::kInvalid, "must be a list of objects of prefix and at_quota");
  const std::string* const prefix = value.find("prefix")->as_string();
  if (prefix == nullptr) return fail(ErrorKind::kInvalid, "prefix must be text");
  space.prefix = *prefix;
  if (auto set = set_at_quota(space.at_quota, *value.find("at_quota")); !set)
    return fail(ErrorKind::kInvalid, "at_quota {}", set.error().message);
  return {};
}

// A list takes the place of the one that was there.
Result<> set_key_spaces(Limits& into, const JsonValue& value) {
  const JsonArray* const array = value.as_array();
  if (array == nullptr)
    return fail(ErrorKind::kInvalid, "must be a list of objects of prefix and at_quota");
  Limits limits;
  for (const JsonValue& item : *array) {
    CacheKeySpace space;
    if (auto read = read_key_space(space, item); !read) return read;
    if (auto added = add_key_space(limits, std::move(space)); !added)
      return fail(ErrorKind::kInvalid, "cannot be so: {}", added.error().message);
  }
  into.cache_key_spaces = std::move(limits.cache_key_spaces);
  return {};
}

Result<> set_scripts(CacheScripts& into, const JsonValue& value) {
  const std::string* const text = value.as_string();
  const auto scripts = parse_cache_scripts(text == nullptr ? std::string_view() : *text);
  if (!scripts) return std::unexpected(scripts.error());
  into = *scripts;
  return {};
}

// clang-format off
constexpr std::array<Term, 18> kTerms = {{
    {"max_concurrent_requests",
     [](const Terms& t) { return JsonValue(uint64_t{t.limits.max_concurrent_requests}); },
     [](Terms& t, const JsonValue& v) { return set_number(t.limits.max_concurrent_requests, v, 1, 1'000'000); }},
    {"api_rate",
     [](const Terms& t) { return rate_to_json(t.limits.api_rate); },
     [](Terms& t, const JsonValue& v) { return set_rate(t.limits.api_rate, v); }},
    {"max_db_connections",
     [](const Terms& t) { return JsonValue(uint64_t{t.limits.max_db_connections}); },
     [](Terms& t, const JsonValue& v) { return set_number(t.limits.max_db_connections, v, 1, 10'000); }},
    {"max_cpu_seconds",
     [](const Terms& t) { return count_of<seconds>(t.limits.max_cpu_time); },
     [](Terms& t, const JsonValue& v) { return set_duration<seconds>(t.limits.max_cpu_time, v, 1, 1'000'000'000); }},
    {"statement_timeout_ms",
     [](const Terms& t) { return count_of<milliseconds>(t.limits.statement_timeout); },
     [](Terms& t, const JsonValue& v) { return set_duration<milliseconds>(t.limits.statement_timeout, v, 1, 86'400'000); }},
    {"max_memory_bytes",
     [](const Terms& t) { return JsonValue(t.limits.max_memory_bytes); },
     [](Terms& t, const JsonValue& v) { return set_number(t.limits.max_memory_bytes, v, 1 << 20, kMostBytes); }},
    {"cache_keys",
     [](const Terms& t) { return JsonValue(t.limits.cache_keys); },
     [](Terms& t, const JsonValue& v) { return set_number(t.limits.cache_keys, v, 0, 1'000'000'000); }},
    {"cache_bytes",
     [](const Terms& t) { return JsonValue(t.limits.cache_bytes); },
     [](Terms& t, const JsonValue& v) { return set_number(t.limits.cache_bytes, v, 1 << 20, kMostBytes); }},
    {"cache_at_quota",
     [](const Terms& t) { return JsonValue(std::string(to_string(t.limits.cache_at_quota))); },
     [](Terms& t, const JsonValue& v) { return set_at_quota(t.limits.cache_at_quota, v); }},
    {"cache_key_spaces",
     [](const Terms& t) { return key_spaces_to_json(t.limits.cache_key_spaces); },
     [](Terms& t, const JsonValue& v) { return set_key_spaces(t.limits, v); }},
    {"cache_databases",
     [](const Terms& t) { return JsonValue(uint64_t{t.limits.cache_databases}); },
     [](Terms& t, const JsonValue& v) { return set_number(t.limits.cache_databases, v, 1, kMaxCacheDatabases); }},
    {"cache_rate",
     [](const Terms& t) { return rate_to_json(t.limits.cache_rate); },
     [](Terms& t, const JsonValue& v) { return set_rate(t.limits.cache_rate, v); }},
    {"cache_time_ms",
     [](const Terms& t) { return count_of<milliseconds>(t.limits.cache_time); },
     [](Terms& t, const JsonValue& v) { return set_duration<milliseconds>(t.limits.cache_time, v, 1, 1'000); }},
    {"cache_script_time_ms",
     [](const Terms& t) { return count_of<milliseconds>(t.limits.cache_script_time); },
     [](Terms& t, const JsonValue& v) { return set_duration<milliseconds>(t.limits.cache_script_time, v, 100, 60'000); }},
    {"cache_scripts",
     [](const Terms& t) { return JsonValue(std::string(to_string(t.limits.cache_scripts))); },
     [](Terms& t, const JsonValue& v) { return set_scripts(t.limits.cache_scripts, v); }},
    {"weight",
     [](const Terms& t) { return JsonValue(uint64_t{t.weight}); },
     [](Terms& t, const JsonValue& v) { return set_number(t.weight, v, 1, 1'000); }},
    {"alarm_error_share",
     [](const Terms& t) { return JsonValue(t.alarms.error_share); },
     [](Terms& t, const JsonValue& v) { return set_share(t.alarms.error_share, v); }},
    {"alarm_slow_request_ms",
     [](const Terms& t) { return count_of<milliseconds>(t.alarms.slow_request); },
     [](Terms& t, const JsonValue& v) { return set_duration<milliseconds>(t.alarms.slow_request, v, 1, 3'600'000); }},
}};
// clang-format on

constexpr auto kNames = [] {
  std::array<std::string_view, kTerms.size()> names{};
  std::ranges::transform(kTerms, names.begin(), &Term::name);
  return names;
}();

}  // namespace

Terms terms_of(const Tier& tier) { return {tier.limits, tier.alarms, tier.weight}; }
Terms terms_of(const Tenant& tenant) { return {tenant.limits, tenant.alarms, tenant.weight}; }

void apply(const Terms& terms, Tier& tier) {
  tier.limits = terms.limits;
  tier.alarms = terms.alarms;
  tier.weight = terms.weight;
}

void apply(const Terms& terms, Tenant& tenant) {
  tenant.limits = terms.limits;
  tenant.alarms = terms.alarms;
  tenant.weight = terms.weight;
}

std::span<const std::string_view> term_names() { return kNames; }

Result<> set_term(Terms& terms, std::string_view name, const JsonValue& value) {
  const auto found = std::ranges::find(kTerms, name, &Term::name);
  if (found == kTerms.end())
    return fail(ErrorKind::kNotFound, "there is no limit '{}'; there are: {}", name,
                fmt::join(kNames, ", "));
  if (auto set = found->set(terms, value); !set)
    return fail(ErrorKind::kInvalid, "{} {}", name, set.error().message);
  return {};
}

JsonValue get_term(const Terms& terms, std::string_view name) {
  return std::ranges::find(kTerms, name, &Term::name)->get(terms);
}

JsonValue to_json(const Terms& terms) {
  JsonObject object;
  for (const Term& term : kTerms) object.push_back({std::string(term.name), term.get(terms)});
  return JsonValue(std::move(object));
}

Result<> set_terms(Terms& terms, const JsonValue& object) {
  const JsonObject* const members = object.as_object();
  if (!members) return fail(ErrorKind::kInvalid, "limits must be an object");
  Terms changed = terms;
  for (const JsonMember& member : *members) {
    if (auto set = set_term(changed, member.name, member.value); !set) return set;
  }
  terms = changed;
  return {};
}

JsonValue difference(const Terms& terms, const Terms& base) {
  JsonObject object;
  for (const Term& term : kTerms) {
    JsonValue value = term.get(terms);
    if (value != term.get(base)) object.push_back({std::string(term.name), std::move(value)});
  }
  return JsonValue(std::move(object));
}

}  // namespace partywall
