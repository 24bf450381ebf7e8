#include "cache/clients/client_filter.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/text.h"

namespace partywall::cache {
namespace {

std::unexpected<Error> syntax_error() { return fail(ErrorKind::kInvalid, "ERR syntax error"); }

Result<uint64_t> parse_id(std::string_view text) {
  const auto id = parse_unsigned(text);
  if (!id || *id == 0) return fail(ErrorKind::kInvalid, "ERR Invalid client ID");
  return *id;
}

Result<> set_type(ClientFilter& filter, std::string_view type) {
  if (equal_ignoring_case(type, "normal")) {
    filter.subscribed = false;
  } else if (equal_ignoring_case(type, "pubsub")) {
    filter.subscribed = true;
  } else if (equal_ignoring_case(type, "master") || equal_ignoring_case(type, "replica") ||
             equal_ignoring_case(type, "slave")) {
    filter.nobody = true;
  } else {
    return fail(ErrorKind::kInvalid, "ERR Unknown client type '{}'", type.substr(0, 128));
  }
  return {};
}

ArgumentCursor behind_subcommand(const Request& request) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  return cursor;
}

Result<> set_condition(ClientFilter& filter, std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view known) { return equal_ignoring_case(name, known); };
  if (is("id")) {
    const auto id = parse_id(value);
    if (!id) return std::unexpected(id.error());
    filter.ids = {*id};
  } else if (is("type")) {
    return set_type(filter, value);
  } else if (is("addr")) {
    filter.address = value;
  } else if (is("user")) {
    filter.user = value;
  } else if (is("laddr")) {
    return fail(ErrorKind::kInvalid, "ERR LADDR is not known here; use ID, ADDR, USER or TYPE");
  } else if (is("maxage")) {
    const auto age = parse_unsigned(value);
    if (!age) return syntax_error();
    filter.min_age_seconds = *age;
  } else if (is("skipme") && equal_ignoring_case(value, "yes")) {
    filter.skip_me = true;
  } else if (is("skipme") && equal_ignoring_case(value, "no")) {
    filter.skip_me = false;
  } else {
    return syntax_error();
  }
  return {};
}

}  // namespace

bool ClientFilter::matches(const ClientRecord& client, uint64_t me, MonotonicTime now) const {
  const auto age = [&] {
    return static_cast<uint64_t>(
        std::chrono::duration_cast<seconds>(now - client.connected_at).count());
  };
  return !nobody && !(skip_me && client.id == me) &&
         (ids.empty() || std::ranges::find(ids, client.id) != ids.end()) &&
         (!address || *address == client.address) && (!user || *user == client.user) &&
         (!subscribed || *subscribed == client.subscribed) &&
         (!min_age_seconds || age() >= *min_age_seconds);
}

Result<ClientFilter> parse_list_filter(const Request& request) {
  ClientFilter filter;
  filter.skip_me = false;
  ArgumentCursor cursor = behind_subcommand(request);
  const auto word = cursor.next();
  if (!word) return filter;
  if (equal_ignoring_case(*word, "type") && cursor.left() == 1) {
    if (auto set = set_type(filter, *cursor.next()); !set) return std::unexpected(set.error());
    return filter;
  }
  if (!equal_ignoring_case(*word, "id") || cursor.left() == 0) return syntax_error();
  while (const auto text = cursor.next()) {
    const auto id = parse_id(*text);
    if (!id) return std::unexpected(id.error());
    filter.ids.push_back(*id);
  }
  return filter;
}

Result<ClientFilter> parse_kill_filter(const Request& request) {
  ClientFilter filter;
  ArgumentCursor cursor = behind_subcommand(request);
  if (cursor.left() == 1) {
    filter.old_form = true;
    filter.skip_me = false;
    filter.address = *cursor.next();
    return filter;
  }
  if (cursor.left() % 2 != 0) return syntax_error();
  while (const auto name = cursor.next()) {
    if (auto set = set_condition(filter, *name, *cursor.next()); !set)
      return std::unexpected(set.error());
  }
  return filter;
}

}  // namespace partywall::cache
