#include "cache/server_answers.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "base/text.h"
#include "cache/local_answers.h"

namespace partywall::cache {
namespace {

constexpr uint64_t kUsualCount = 10;

std::string unknown_subcommand(const Request& request, std::string_view command) {
  return make_error(fmt::format("ERR unknown subcommand '{}'. Try {} HELP.",
                                request.first.substr(0, 128), command));
}

void append_slow_command(std::string& out, const SlowCommand& command) {
  append_array_header(out, 6);
  append_integer(out, static_cast<int64_t>(command.id));
  append_integer(out, std::chrono::duration_cast<seconds>(command.at.time_since_epoch()).count());
  append_integer(out, std::chrono::duration_cast<std::chrono::microseconds>(command.took).count());
  append_array_header(out, command.arguments.size());
  for (const std::string& argument : command.arguments) append_bulk(out, argument);
  append_bulk(out, command.client_address);
  append_bulk(out, command.client_name);
}

std::string slow_commands(const Request& request, const SlowLog& log, TenantId tenant) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  std::optional<size_t> count = kUsualCount;
  if (const auto text = cursor.next()) {
    const auto number = parse_unsigned(*text);
    if (!number && *text != "-1")
      return make_error("ERR count should be greater than or equal to -1");
    count = number ? std::optional<size_t>(*number) : std::nullopt;
  }
  const auto commands = log.latest(tenant, count);
  std::string out;
  append_array_header(out, commands.size());
  for (const SlowCommand& command : commands) append_slow_command(out, command);
  return out;
}

}  // namespace

std::string slow_log_answer(const Request& request, SlowLog& log, TenantId tenant) {
  const auto is = [&](std::string_view name) { return equal_ignoring_case(request.first, name); };
  if (is("help")) {
    return help_answer(
        {"SLOWLOG <subcommand> [<arg> ...]. Subcommands are:", "GET [<count>] | LEN | RESET",
         "    Of the tenant's commands that were not pipelined, as the door saw "
         "them; times in microseconds.",
         "HELP"});
  }
  if (is("get") && request.argument_count <= 3) return slow_commands(request, log, tenant);
  if (request.argument_count != 2) return make_error(wrong_arguments("slowlog"));
  std::string out;
  if (is("len")) {
    append_integer(out, static_cast<int64_t>(log.size(tenant)));
    return out;
  }
  if (!is("reset")) return unknown_subcommand(request, "SLOWLOG");
  log.clear(tenant);
  return "+OK\r\n";
}

std::string latency_answer(const Request& request, Protocol protocol) {
  const auto is = [&](std::string_view name) { return equal_ignoring_case(request.first, name); };
  std::string out;
  if (is("latest") || is("history")) {
    append_array_header(out, 0);
  } else if (is("histogram")) {
    append_map_header(out, protocol, 0);
  } else if (is("reset")) {
    append_integer(out, 0);
  } else if (is("doctor")) {
    out = verbatim(
        "The latency of the shared server is watched by its operator. SLOWLOG has your own slow "
        "commands.\n",
        protocol);
  } else if (is("help")) {
    out = help_answer({"LATENCY <subcommand> [<arg> ...]. Subcommands are:",
                       "LATEST | HISTORY <event> | HISTOGRAM | RESET | DOCTOR | HELP",
                       "    The events of the shared server are not shown."});
  } else {
    out = unknown_subcommand(request, "LATENCY");
  }
  return out;
}

std::string memory_answer(const Request& request, Protocol protocol) {
  if (equal_ignoring_case(request.first, "doctor")) {
    return verbatim(
        "The memory of the shared server is watched by its operator. INFO memory has "
        "your own bounds.\n",
        protocol);
  }
  return help_answer({"MEMORY <subcommand> [<arg> ...]. Subcommands are:",
                      "USAGE <key> [SAMPLES <count>] | DOCTOR | HELP"});
}

std::string pubsub_answer(const Request& request, const std::vector<ClientRecord>& clients) {
  if (equal_ignoring_case(request.first, "help")) {
    return help_answer({"PUBSUB <subcommand> [<arg> ...]. Subcommands are:",
                        "CHANNELS [<pattern>] | NUMSUB [<channel> ...] | NUMPAT",
                        "SHARDCHANNELS [<pattern>] | SHARDNUMSUB [<channel> ...] | HELP"});
  }
  if (request.argument_count != 2) return make_error(wrong_arguments("pubsub|numpat"));
  uint64_t patterns = 0;
  for (const ClientRecord& client : clients) patterns += client.patterns;
  std::string out;
  append_integer(out, static_cast<int64_t>(patterns));
  return out;
}

std::string config_set_answer(const Request& request, const CacheBackend& backend) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  if (cursor.left() % 2 != 0) return make_error("ERR syntax error");
  while (const auto name = cursor.next()) {
    const auto value = cursor.next();
    if (!equal_ignoring_case(*name, "notify-keyspace-events")) {
      return make_error(
          fmt::format("NOPERM 'config set {}' is not available here: it concerns the whole server",
                      name->substr(0, 128)));
    }
    if (value->find_first_not_of("KEg$lshzxetdmnA") != std::string_view::npos)
      return make_error("ERR Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    if (!value->empty() && !backend.keyspace_events)
      return make_error("NOPERM keyspace notifications are off on this server; ask its operator");
  }
  return "+OK\r\n";
}

}  // namespace partywall::cache
