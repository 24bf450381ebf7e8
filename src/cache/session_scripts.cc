#include <fmt/format.h>

#include "base/ascii.h"
#include "cache/commands/command_rule.h"
#include "cache/prefix/key_rewriter.h"
#include "cache/scripts/script_prelude.h"
#include "cache/session_fsm.h"

// EVAL, EVALSHA, SCRIPT: each tenant has its own scripts, as far as it can tell. Redis gets them
// with a prelude, and knows them by other names than the clients do. A script that the tenant has
// not loaded itself has a name that Redis does not know either: so Redis says NOSCRIPT, in its
// place and in transactions too.
namespace partywall::cache {
namespace {
constexpr std::string_view kNamesScript = " script: ";
}

SessionFsm::Next SessionFsm::script(const Request& request, const CommandRule& rule, Turn& turn) {
  // What the client has loaded just before counts.
  if (loading_ && !all_answered(turn)) return Next::kWait;
  switch (rule.kind) {
    case CommandKind::kEval:
      return eval(request, rule, turn);
    case CommandKind::kEvalSha:
      return eval_by_name(request, rule, turn);
    case CommandKind::kScriptLoad:
      return load_script(request, turn);
    case CommandKind::kScriptFlush:
      return flush_scripts(request, turn);
    default:
      return ask_about_scripts(request, turn);
  }
}

// A script that is new to the tenant is loaded first, because only the answer to that tells whether
// Redis has taken it.
SessionFsm::Next SessionFsm::eval(const Request& request, const CommandRule& rule, Turn& turn) {
  // Redis refuses it.
  if (request.argument_count < 3) return pass_on(request, rule, turn);
  const Sha1Digest name = sha1(request.first);
  const std::string text = with_prelude(request.first);
  if (host_.scripts.find(turn.tenant->id, name)) return run_script(request, rule, text, turn);
  if (!host_.scripts.has_room(turn.tenant->id, text.size())) return refuse_script(turn);
  // Within a transaction one more request would be one more answer.
  if (transaction_.open) return run_script(request, rule, text, turn);
  const auto upstream = upstream_for_plain(turn);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  if (must_wait_for(**upstream, turn) || !all_answered(turn)) return Next::kWait;
  if (const auto other = enter_lane(rule, turn)) return *other;
  if (const auto other = admit(request, request.argument_count, rule, turn)) return *other;
  lane_place_.use();
  loading_ = Loading{.script = name, .in_redis = sha1(text), .bytes = text.size(), .unasked = true};
  const auto& target = held_ ? held_->upstream : turn.shared;
  note_script(rule, *target, turn);
  send_now(target, make_request({"SCRIPT", "LOAD", text}), ReplyUse::kLoadedFirst);
  send_script(*target, request, rule, text, turn);
  return Next::kDone;
}

SessionFsm::Next SessionFsm::eval_by_name(const Request& request, const CommandRule& rule,
                                          Turn& turn) {
  if (request.argument_count < 3) return pass_on(request, rule, turn);
  return run_script(request, rule, name_in_redis(request.first, turn.tenant->id), turn);
}

// `script` stands in the place of the client's: a text, or a name.
SessionFsm::Next SessionFsm::run_script(const Request& request, const CommandRule& rule,
                                        std::string_view script, Turn& turn) {
  const auto upstream = upstream_for_plain(turn);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  if (must_wait_for(**upstream, turn)) return Next::kWait;
  if (const auto other = enter_lane(rule, turn)) return *other;
  if (const auto other = admit(request, request.argument_count, rule, turn)) return *other;
  lane_place_.use();
  note_script(rule, **upstream, turn);
  send_script(**upstream, request, rule, script, turn);
  return Next::kDone;
}

void SessionFsm::send_script(UpstreamFsm& upstream, const Request& request, const CommandRule& rule,
                             std::string_view script, Turn& turn) {
  std::string& rewritten = host_.rewritten;
  if (!turn.run.empty() && !turn.run.continues(upstream, rewritten)) flush(turn);
  if (turn.run.empty()) rewritten.clear();
  const size_t begin = rewritten.size();
  const std::string_view bytes = request.bytes;
  if (upstream.key_prefix().empty()) {
    rewritten += bytes;
  } else {
    append_with_prefixed_keys(rewritten, request, rule.keys, upstream.key_prefix());
    if (transaction_.open) transaction_.queued.push_back(rule.reply_keys);
  }
  // Keys come behind the script: it is where it was.
  const auto place = static_cast<size_t>(request.name.end() - bytes.begin()) + 2;
  const auto end = static_cast<size_t>(request.first.end() - bytes.begin()) + 2;
  std::string argument;
  append_bulk(argument, script);
  rewritten.replace(begin + place, end - place, argument);
  turn.run.add_rewritten(upstream, bytes, rewritten, ReplyKeys::kNone);
  // Its bytes are the parser's, which needs them for the next one.
  if (request.form == RequestForm::kInline) flush(turn);
}

SessionFsm::Next SessionFsm::load_script(const Request& request, Turn& turn) {
  if (request.argument_count != 3) return refuse(turn, wrong_arguments("script|load"));
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const std::string_view script = *cursor.next();
  const Sha1Digest name = sha1(script);
  // Whether Redis has taken it would be known after EXEC only: it stays unknown, and its name is
  // all that there is to answer.
  if (transaction_.open)
    return pass_on_instead(make_request({"ECHO", script_name(name)}), ReplyUse::kPass, turn);
  const std::string text = with_prelude(script);
  if (!host_.scripts.find(turn.tenant->id, name) &&
      !host_.scripts.has_room(turn.tenant->id, text.size())) {
    return refuse_script(turn);
  }
  if (!all_answered(turn)) return Next::kWait;
  const Next next =
      pass_on_instead(make_request({"SCRIPT", "LOAD", text}), ReplyUse::kLoaded, turn);
  if (next == Next::kDone && outstanding_ > 0) {
    loading_ =
        Loading{.script = name, .in_redis = sha1(text), .bytes = text.size(), .unasked = false};
  }
  return next;
}

SessionFsm::Next SessionFsm::ask_about_scripts(const Request& request, Turn& turn) {
  if (request.argument_count < 3) return refuse(turn, wrong_arguments("script|exists"));
  std::string text;
  append_array_header(text, request.argument_count);
  ArgumentCursor cursor(request);
  append_bulk(text, *cursor.next());
  append_bulk(text, *cursor.next());
  while (const auto name = cursor.next()) append_bulk(text, name_in_redis(*name, turn.tenant->id));
  return pass_on_instead(text, ReplyUse::kPass, turn);
}

// Of a script that the tenant has loaded; otherwise one that no script has.
std::string SessionFsm::name_in_redis(std::string_view name, TenantId tenant) const {
  const auto digest = parse_script_name(name);
  const auto known = digest ? host_.scripts.find(tenant, *digest) : std::nullopt;
  return known ? script_name(*known) : std::string(kNoScript);
}

SessionFsm::Next SessionFsm::flush_scripts(const Request& request, Turn& turn) {
  const bool known = request.argument_count == 2 || (request.argument_count == 3 && [&] {
                       ArgumentCursor cursor(request);
                       cursor.next();
                       cursor.next();
                       const std::string_view how = *cursor.next();
                       return equal_ignoring_case(how, "async") || equal_ignoring_case(how, "sync");
                     }());
  if (!known) return refuse(turn, "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  if (!all_answered(turn)) return Next::kWait;
  host_.scripts.forget(turn.tenant->id);
  return reply(turn, "+OK\r\n");
}

SessionFsm::Next SessionFsm::refuse_script(Turn& turn) {
  return refuse(turn,
                "LIMIT the scripts of this tenant take all the room that they may have; give "
                "values as arguments instead of writing them into the script");
}

// Redis has answered SCRIPT LOAD. What the client is told: the name that it knows.
std::string SessionFsm::script_loaded(std::string_view reply) {
  const auto loaded = std::exchange(loading_, std::nullopt);
  if (reply.starts_with('-') || !login_ || !loaded) return std::string(reply);
  host_.scripts.add(login_->tenant, loaded->script, loaded->in_redis, loaded->bytes);
  std::string text;
  append_bulk(text, script_name(loaded->script));
  return text;
}

// Errors of scripts end with "script: <name>, on @user_script:<line>.": Redis's name of it.
std::string SessionFsm::with_own_name(std::string_view error) const {
  std::string text(error);
  const size_t place = text.rfind(kNamesScript);
  if (place == std::string::npos || !login_) return text;
  const size_t begin = place + kNamesScript.size();
  const auto name = parse_script_name(error.substr(begin, kNoScript.size()));
  const auto own = name ? host_.scripts.find_original(login_->tenant, *name) : std::nullopt;
  if (own) text.replace(begin, kNoScript.size(), script_name(*own));
  return text;
}

}  // namespace partywall::cache
