#include <fmt/format.h>

#include "base/ascii.h"
#include "cache/commands/command_rule.h"
#include "cache/session_fsm.h"

// EVAL, EVALSHA, SCRIPT: each tenant has its own scripts, as far as it can tell. A script that it
// has not loaded itself has a name that Redis does not know either: so Redis says NOSCRIPT, in its
// place and in transactions too.
namespace partywall::cache {
namespace {

// The request with other names in the place of scripts that the tenant has not loaded; empty when
// it is fit to be passed on.
std::string hide_scripts(const Request& request, uint32_t first, uint32_t last,
                         const ScriptRegister& scripts, TenantId tenant) {
  std::string out;
  bool hidden = false;
  append_array_header(out, request.argument_count);
  ArgumentCursor cursor(request);
  for (uint32_t index = 0; const auto argument = cursor.next(); ++index) {
    const bool is_name = index >= first && index <= last;
    const auto name = is_name ? parse_script_name(*argument) : std::nullopt;
    const bool hide = name && !scripts.knows(tenant, *name);
    append_bulk(out, hide ? kNoScript : *argument);
    hidden = hidden || hide;
  }
  return hidden ? out : std::string();
}

}  // namespace

SessionFsm::Next SessionFsm::script(const Request& request, const CommandRule& rule, Turn& turn) {
  // What the client has loaded just before counts.
  if (loading_ && !all_answered(turn)) return Next::kWait;
  switch (rule.kind) {
    case CommandKind::kEval:
      return eval(request, rule, turn);
    case CommandKind::kScriptLoad:
      return load_script(request, rule, turn);
    case CommandKind::kScriptFlush:
      return flush_scripts(request, turn);
    default:
      break;
  }
  const bool one = rule.kind == CommandKind::kEvalSha;
  if (one) {
    const auto name = parse_script_name(request.first);
    if (!name || host_.scripts.knows(turn.tenant->id, *name)) return pass_on(request, rule, turn);
  }
  const std::string hidden =
      hide_scripts(request, one ? 1 : 2, one ? 1 : UINT32_MAX, host_.scripts, turn.tenant->id);
  if (hidden.empty()) return pass_on(request, rule, turn);
  RequestParser parser;
  if (parser.parse(hidden, {}) != RequestParser::Status::kRequest)
    return pass_on(request, rule, turn);
  Request instead = parser.request();
  instead.form = RequestForm::kInline;  // its bytes are not the client's: they are sent at once
  return pass_on(instead, rule, turn);
}

// A script that is new to the tenant is loaded first, because only the answer to that tells whether
// Redis has taken it.
SessionFsm::Next SessionFsm::eval(const Request& request, const CommandRule& rule, Turn& turn) {
  const std::string_view text = request.first;
  const Sha1Digest name = sha1(text);
  if (request.argument_count < 3 || host_.scripts.knows(turn.tenant->id, name))
    return pass_on(request, rule, turn);
  if (!host_.scripts.has_room(turn.tenant->id, text.size())) return refuse_script(turn);
  // Within a transaction one more request would be one more answer.
  if (transaction_.open) return pass_on(request, rule, turn);
  const auto upstream = upstream_for_plain(turn);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  if (must_wait_for(**upstream, turn) || !all_answered(turn)) return Next::kWait;
  if (const auto other = enter_lane(rule, turn)) return *other;
  if (const auto other = admit(request, request.argument_count, rule, turn)) return *other;
  lane_place_.use();
  loading_ = Loading{.script = name, .bytes = text.size(), .unasked = true};
  const auto& target = held_ ? held_->upstream : turn.shared;
  note_script(rule, *target, turn);
  send_now(target, make_request({"SCRIPT", "LOAD", text}), ReplyUse::kLoadedFirst);
  send(*target, request, rule, turn);
  return Next::kDone;
}

SessionFsm::Next SessionFsm::load_script(const Request& request, const CommandRule& rule,
                                         Turn& turn) {
  if (request.argument_count != 3) return refuse(turn, wrong_arguments("script|load"));
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const std::string_view text = *cursor.next();
  const Sha1Digest name = sha1(text);
  if (host_.scripts.knows(turn.tenant->id, name)) return pass_on(request, rule, turn);
  if (!host_.scripts.has_room(turn.tenant->id, text.size())) return refuse_script(turn);
  if (transaction_.open) return pass_on(request, rule, turn);
  if (!all_answered(turn)) return Next::kWait;
  loading_ = Loading{.script = name, .bytes = text.size(), .unasked = false};
  return pass_on_instead(request.bytes, ReplyUse::kLoaded, turn);
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

// Redis has answered SCRIPT LOAD.
void SessionFsm::script_loaded(std::string_view reply) {
  if (!reply.starts_with('-') && login_ && loading_)
    host_.scripts.add(login_->tenant, loading_->script, loading_->bytes);
  loading_.reset();
}

}  // namespace partywall::cache
