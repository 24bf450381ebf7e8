#include "cache/clients/client_answers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/ascii.h"
#include "cache/clients/client_filter.h"
#include "cache/local_answers.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

std::string_view flags_of(const ClientRecord& client) {
  if (client.subscribed) return "P";
  return client.blocked ? "b" : "N";
}

}  // namespace

std::string client_line(const ClientRecord& client, MonotonicTime now) {
  const auto age = std::chrono::duration_cast<seconds>(now - client.connected_at).count();
  return fmt::format(
      "id={} addr={} name={} age={} flags={} db={} user={} resp={} lib-name={} lib-ver={}\n",
      client.id, client.address, client.name, age, flags_of(client), client.database, client.user,
      static_cast<int>(client.protocol), client.library, client.library_version);
}

std::string client_list_answer(const Request& request, const std::vector<ClientRecord>& clients,
                               const ClientRecord& me, MonotonicTime now) {
  const auto filter = parse_list_filter(request);
  if (!filter) {
    std::string out;
    append_error(out, filter.error().message);
    return out;
  }
  std::string lines;
  for (const ClientRecord& client : clients) {
    if (filter->matches(client, me.id, now)) lines += client_line(client, now);
  }
  return verbatim(lines, me.protocol);
}

std::string client_help_answer() {
  return help_answer({"CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                      "GETNAME | SETNAME <name> | SETINFO <lib-name|lib-ver> <value>",
                      "ID | INFO | LIST [ID <id> ... | TYPE <type>] | GETREDIR",
                      "KILL <addr> | KILL <option> <value> ...", "    Of the tenant's own clients.",
                      "UNBLOCK <id> [TIMEOUT|ERROR]", "    Of the tenant's own clients.",
                      "NO-EVICT | NO-TOUCH <on|off>", "REPLY <on|off|skip>", "HELP"});
}

bool is_client_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

std::string switch_answer(const Request& request, std::string_view command) {
  std::string out;
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const auto value = cursor.next();
  if (request.argument_count != 3) {
    append_error(out, wrong_arguments(command));
  } else if (equal_ignoring_case(*value, "on") || equal_ignoring_case(*value, "off")) {
    append_simple(out, "OK");
  } else {
    append_error(out, "ERR syntax error");
  }
  return out;
}

}  // namespace partywall::cache
