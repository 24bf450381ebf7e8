#include "cache/local_answers.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/ascii.h"
#include "cache/glob.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kUnknownVersion = "7.0.0";

std::string_view or_default(std::string_view text, std::string_view fallback) {
  return text.empty() ? fallback : text;
}

}  // namespace

std::string hello_answer(const ClientView& client, std::string_view version) {
  std::string out;
  append_map_header(out, client.protocol, 7);
  const auto text = [&](std::string_view name, std::string_view value) {
    append_bulk(out, name);
    append_bulk(out, value);
  };
  text("server", "redis");
  text("version", or_default(version, kUnknownVersion));
  append_bulk(out, "proto");
  append_integer(out, static_cast<int>(client.protocol));
  append_bulk(out, "id");
  append_integer(out, static_cast<int64_t>(client.id));
  text("mode", "standalone");
  text("role", "master");
  append_bulk(out, "modules");
  append_array_header(out, 0);
  return out;
}

std::string role_answer() {
  std::string out;
  append_array_header(out, 3);
  append_bulk(out, "master");
  append_integer(out, 0);
  append_array_header(out, 0);
  return out;
}

std::string config_get_answer(const Request& request, const Tenant& tenant,
                              const CacheBackend& backend, Protocol protocol) {
  const bool evicts = tenant.limits.cache_at_quota == CacheAtQuota::kEvict;
  const std::vector<std::pair<std::string_view, std::string>> parameters = {
      {"appendonly", "no"},
      {"databases", fmt::format("{}", tenant.limits.cache_databases)},
      {"maxmemory", fmt::format("{}", tenant.limits.cache_bytes)},
      {"maxmemory-policy", evicts ? "allkeys-lru" : "noeviction"},
      {"notify-keyspace-events", backend.keyspace_events ? "AKE" : ""},
      {"save", ""},
      {"timeout", "0"},
  };
  std::vector<std::string> patterns;
  ArgumentCursor cursor(request);
  for (uint32_t index = 0; const auto argument = cursor.next(); ++index) {
    if (index >= 2) patterns.push_back(to_lower(*argument));
  }
  std::string pairs;
  size_t count = 0;
  for (const auto& [name, value] : parameters) {
    if (std::ranges::none_of(patterns, [&](const std::string& p) { return glob_matches(p, name); }))
      continue;
    append_bulk(pairs, name);
    append_bulk(pairs, value);
    ++count;
  }
  std::string out;
  append_map_header(out, protocol, count);
  return out + pairs;
}

std::string info_answer(std::string_view dbsize_reply, const ServerFacts& facts,
                        const Tenant& tenant, const ClientView& client) {
  const std::string_view keys = dbsize_reply.substr(1, dbsize_reply.find('\r') - 1);
  std::string text = fmt::format(
      "# Server\r\nredis_version:{}\r\nredis_mode:standalone\r\n\r\n"
      "# Clients\r\nconnected_clients:1\r\n\r\n"
      "# Memory\r\nmaxmemory:{}\r\nmaxmemory_policy:{}\r\n\r\n"
      "# Persistence\r\nloading:0\r\n\r\n"
      "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n"
      "# Cluster\r\ncluster_enabled:0\r\n\r\n"
      "# Keyspace\r\n",
      or_default(facts.version, kUnknownVersion), tenant.limits.cache_bytes,
      or_default(facts.eviction_policy, "noeviction"));
  if (keys != "0")
    text += fmt::format("db{}:keys={},expires=0,avg_ttl=0\r\n", client.database, keys);
  return verbatim(text, client.protocol);
}

std::string wrong_arguments(std::string_view command) {
  return fmt::format("ERR wrong number of arguments for '{}' command", command);
}

std::string verbatim(std::string_view text, Protocol protocol) {
  std::string out;
  if (protocol == Protocol::kResp2) {
    append_bulk(out, text);
  } else {
    out = fmt::format("={}\r\ntxt:{}\r\n", text.size() + 4, text);
  }
  return out;
}

std::string help_answer(std::initializer_list<std::string_view> lines) {
  std::string out;
  append_array_header(out, lines.size());
  for (const std::string_view line : lines) append_simple(out, line);
  return out;
}

}  // namespace partywall::cache
