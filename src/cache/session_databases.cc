#include <fmt/format.h>

#include "base/ascii.h"
#include "base/text.h"
#include "cache/commands/command_rule.h"
#include "cache/prefix/key_prefix.h"
#include "cache/session_fsm.h"

// SELECT, FLUSHALL, COPY and MOVE: a tenant's clients number its databases from 0. Redis has them
// wherever the directory says; in prefix mode each is a part of the prefix.
namespace partywall::cache {
namespace {

constexpr const char* kSameObject = "ERR source and destination objects are the same";

// In database mode the connection is locked into its database, and must be.
std::string reaches_other_databases(std::string_view command) {
  return fmt::format("NOPERM '{}' is not available here: it reaches other databases", command);
}

}  // namespace

uint32_t SessionFsm::databases_of(const Turn& turn) const {
  return turn.tenant->limits.cache_databases;
}

// The client's number of one of its databases; kInvalid, with Redis's own words.
Result<uint32_t> SessionFsm::parse_database(std::string_view text, const Turn& turn) const {
  const auto number = parse_unsigned(text);
  if (!number && !text.starts_with('-'))
    return fail(ErrorKind::kInvalid, "ERR value is not an integer or out of range");
  if (!number || *number >= databases_of(turn))
    return fail(ErrorKind::kInvalid, "ERR DB index is out of range");
  return static_cast<uint32_t>(*number);
}

// The connections of the database that was selected before go on with what they were asked.
SessionFsm::Next SessionFsm::select(const Request& request, Turn& turn) {
  if (request.argument_count != 2) return refuse(turn, wrong_arguments("select"));
  const auto number = parse_database(request.first, turn);
  if (!number) return refuse(turn, number.error().message);
  if (*number != database_) {
    if (transaction_.watching || tracking_)
      return refuse(turn, "ERR another database is not available after WATCH or CLIENT TRACKING");
    flush(turn);
    database_ = *number;
    upstreams_ = nullptr;
    turn.shared = nullptr;
    register_self();
  }
  return reply(turn, "+OK\r\n");
}

// Of a tenant with several databases: one after the other, the selected one last. It comes here
// again after every answer.
SessionFsm::Next SessionFsm::flush_all(Turn& turn) {
  if (transaction_.open || transaction_.watching)
    return refuse(turn, "ERR FLUSHALL of several databases is not available after WATCH or MULTI");
  if (!all_answered(turn) || held_) return Next::kWait;
  if (!flushing_) {
    if (const auto other = count_against_rate(turn)) return *other;
    flushing_ = Flushing{.next = 0, .failure = {}};
  }
  if (flushing_->next == database_) ++flushing_->next;
  const bool last = flushing_->next >= databases_of(turn);
  std::string failure = flushing_->failure;
  if (failure.empty()) {
    const uint32_t database = last ? database_ : flushing_->next++;
    const auto upstreams =
        host_.upstreams.of(*turn.tenant, protocol_, UpstreamUser::kTenant, database);
    const auto shared =
        upstreams ? (*upstreams)->shared(turn.now) : std::unexpected(upstreams.error());
    if (shared) {
      if (last) flushing_.reset();
      if (last && has_quota(turn)) quota_->note_removal();
      send_now(*shared, make_request({"FLUSHDB", "ASYNC"}),
               last ? ReplyUse::kPass : ReplyUse::kFlushPart);
      announce_flush(**shared, database, turn);
      return last ? Next::kDone : Next::kWait;
    }
    failure = "ERR " + shared.error().message;
  }
  flushing_.reset();
  return refuse(turn, failure + " (some databases may be empty now)");
}

// COPY source destination [DB number] [REPLACE]. As the keyspace user: of one that may COPY,
// scripts could reach every database of the Redis.
SessionFsm::Next SessionFsm::copy(const Request& request, const CommandRule& rule, Turn& turn) {
  if (!has_prefix(turn)) return refuse(turn, reaches_other_databases(rule.name));
  if (request.argument_count < 3) return refuse(turn, wrong_arguments(rule.name));
  ArgumentCursor cursor(request);
  cursor.next();
  const std::string_view source = *cursor.next();
  const std::string_view destination = *cursor.next();
  uint32_t database = database_;
  bool replace = false;
  while (const auto option = cursor.next()) {
    if (equal_ignoring_case(*option, "replace")) {
      replace = true;
    } else if (equal_ignoring_case(*option, "db") && cursor.left() > 0) {
      const auto number = parse_database(*cursor.next(), turn);
      if (!number) return refuse(turn, number.error().message);
      database = *number;
    } else {
      return refuse(turn, "ERR syntax error");
    }
  }
  if (!all_answered(turn)) return Next::kWait;
  if (const auto other = admit(request, request.argument_count, rule, turn)) return *other;
  const auto upstream = keyspace_upstream(turn);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  const std::string root = key_root(backend_of(*turn.tenant), *turn.tenant);
  const std::string from = key_prefix(root, database_).append(source);
  const std::string to = key_prefix(root, database).append(destination);
  send_now(*upstream,
           replace ? make_request({"COPY", from, to, "REPLACE"}) : make_request({"COPY", from, to}),
           ReplyUse::kPass);
  note_new_key(database, destination, turn);
  return Next::kDone;
}

// MOVE key number: in Redis another name of the key.
SessionFsm::Next SessionFsm::move(const Request& request, Turn& turn) {
  if (!has_prefix(turn)) return refuse(turn, reaches_other_databases("move"));
  if (request.argument_count != 3) return refuse(turn, wrong_arguments("move"));
  ArgumentCursor cursor(request);
  cursor.next();
  const std::string_view key = *cursor.next();
  const auto database = parse_database(*cursor.next(), turn);
  if (!database) return refuse(turn, database.error().message);
  if (*database == database_) return refuse(turn, kSameObject);
  const std::string root = key_root(backend_of(*turn.tenant), *turn.tenant);
  const Next next =
      pass_on_instead(make_request({"RENAMENX", key_prefix(root, database_).append(key),
                                    key_prefix(root, *database).append(key)}),
                      ReplyUse::kMoved, turn);
  if (next == Next::kDone) note_new_key(*database, key, turn);
  return next;
}

}  // namespace partywall::cache
