#include "cache/local_answers.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "cache/ascii.h"
#include "cache/glob.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kUnknownVersion = "7.0.0";

std::string_view or_default(std::string_view text, std::string_view fallback) {
  return text.empty() ? fallback : text;
}

std::string client_line(const ClientView& client) {
  return fmt::format("id={} addr={} name={} db=0 user={} resp={}\n", client.id, client.address,
                     client.name, client.user, static_cast<int>(client.protocol));
}

std::string on_off_answer(const Request& request, std::string_view accepted) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const auto value = cursor.next();
  std::string out;
  if (request.argument_count == 3 && equal_ignoring_case(*value, accepted)) {
    append_simple(out, "OK");
  } else {
    append_error(out, fmt::format("NOPERM 'client {}' is available with '{}' only", request.first,
                                  accepted));
  }
  return out;
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

std::string client_answer(const Request& request, const ClientView& client) {
  const auto is = [&](std::string_view name) { return equal_ignoring_case(request.first, name); };
  std::string out;
  if (is("id")) {
    append_integer(out, static_cast<int64_t>(client.id));
  } else if (is("getredir")) {
    append_integer(out, -1);
  } else if (is("getname")) {
    client.name.empty() ? append_null(out, client.protocol) : append_bulk(out, client.name);
  } else if (is("info") || is("list")) {
    out = verbatim(client_line(client), client.protocol);
  } else if (is("no-evict")) {
    out = on_off_answer(request, "off");
  } else if (is("reply")) {
    out = on_off_answer(request, "on");
  } else if (is("help")) {
    append_array_header(out, 1);
    append_simple(out, "CLIENT ID, INFO, LIST, GETNAME, SETNAME, GETREDIR, NO-EVICT OFF, REPLY ON");
  } else {
    append_error(out, fmt::format("ERR unknown subcommand '{}'. Try CLIENT HELP.",
                                  request.first.substr(0, 128)));
  }
  return out;
}

bool is_client_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

std::string config_get_answer(const Request& request, const Tenant& tenant, Protocol protocol) {
  const std::vector<std::pair<std::string_view, std::string>> parameters = {
      {"appendonly", "no"},
      {"databases", "1"},
      {"maxmemory", fmt::format("{}", tenant.limits.cache_bytes)},
      {"maxmemory-policy", "noeviction"},
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
                        const Tenant& tenant, Protocol protocol) {
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
  if (keys != "0") text += fmt::format("db0:keys={},expires=0,avg_ttl=0\r\n", keys);
  return verbatim(text, protocol);
}

std::string wrong_arguments(std::string_view command) {
  return fmt::format("ERR wrong number of arguments for '{}' command", command);
}

}  // namespace partywall::cache
