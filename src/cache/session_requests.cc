#include <fmt/format.h>

#include "base/ascii.h"
#include "base/log.h"
#include "cache/channel_names.h"
#include "cache/command_answers.h"
#include "cache/commands/command_table.h"
#include "cache/function_answers.h"
#include "cache/prefix/key_rewriter.h"
#include "cache/scripts/script_policy.h"
#include "cache/server_answers.h"
#include "cache/session_fsm.h"
#include "cache/tenant_user.h"
#include "tenancy/cache_scripts.h"

// What a session does with one request.
namespace partywall::cache {
namespace {

constexpr size_t kQuotedBytes = 128;  // of the client's words in an error message

// A browser that was made to talk to us: "POST / HTTP/1.1", or the second line of any request.
bool is_http(const Request& request) {
  return request.form == RequestForm::kInline &&
         (equal_ignoring_case(request.name, "post") || equal_ignoring_case(request.name, "host:"));
}

bool may_be_queued(CommandKind kind) {
  return kind == CommandKind::kPlain || kind == CommandKind::kKeyspace ||
         kind == CommandKind::kBlocking || kind == CommandKind::kEval ||
         kind == CommandKind::kEvalSha || kind == CommandKind::kFcall ||
         kind == CommandKind::kScriptLoad || kind == CommandKind::kScriptExists ||
         kind == CommandKind::kPublish || kind == CommandKind::kFlush ||
         kind == CommandKind::kMulti || kind == CommandKind::kWatch ||
         kind == CommandKind::kUnwatch;
}

std::string simple(std::string_view text) {
  std::string out;
  append_simple(out, text);
  return out;
}

}  // namespace

// CLIENT REPLY SKIP counts for one request: the next one waits until that is answered.
SessionFsm::Next SessionFsm::handle(const Request& request, Turn& turn) {
  if (replies_ == Replies::kOn || replies_ == Replies::kOff) return dispatch(request, turn);
  if (!all_answered(turn)) return Next::kWait;
  const bool skips = replies_ == Replies::kSkipNext;
  replies_ = skips ? Replies::kSkipping : Replies::kOn;
  const Next next = dispatch(request, turn);
  if (skips && next == Next::kWait) replies_ = Replies::kSkipNext;
  return next;
}

SessionFsm::Next SessionFsm::dispatch(const Request& request, Turn& turn) {
  // In RESP2 an answer to SUBSCRIBE can be told from other answers only by its place.
  if (confirmations_ > 0 && protocol_ == Protocol::kResp2) return Next::kWait;
  const CommandRule* rule = find_command(request.name, request.first);
  switch (rule == nullptr ? CommandKind::kDenied : rule->kind) {
    case CommandKind::kAuth:
      return handle_auth(request, turn);
    case CommandKind::kHello:
      return handle_hello(request, turn);
    case CommandKind::kReset:
      return handle_reset(turn);
    case CommandKind::kQuit: {
      const Next next = reply(turn, simple("OK"));
      closing_ = true;
      return next;
    }
    default:
      break;
  }
  if (is_http(request)) {
    log_warning("the cache door closes a connection that speaks HTTP", {{"client", address_}});
    closing_ = true;
    return Next::kDone;
  }
  if (turn.tenant == nullptr) return reply(turn, make_error("NOAUTH Authentication required."));
  if (rule == nullptr) {
    return refuse(turn, fmt::format("ERR unknown command '{}', or a subcommand that does not exist",
                                    request.name.substr(0, kQuotedBytes)));
  }
  return handle_tenant_request(request, *rule, turn);
}

SessionFsm::Next SessionFsm::handle_tenant_request(const Request& request, const CommandRule& rule,
                                                   Turn& turn) {
  if (held_ && held_->hold == Hold::kUntilReleased && !held_->upstream->usable()) {
    // Redis closed it while nothing was asked; the transaction or the watch is gone.
    drop_held();
    closing_ = true;
    return reply(
        turn,
        make_error(
            "ERR the connection to the cache was lost, and with it the transaction or WATCH"));
  }
  if (rule.kind == CommandKind::kExec || rule.kind == CommandKind::kDiscard)
    return end_transaction(request, rule, turn);
  if (const std::string text = refusal(request, rule, turn); !text.empty())
    return refuse(turn, text);
  const Next next = serve(request, rule, turn);
  // COPY may have changed a key of another database.
  const bool tracks = rule.kind != CommandKind::kClient && rule.kind != CommandKind::kCopy;
  if (tracking_ && next == Next::kDone && tracks) track(request, rule);
  return next;
}

// A request that the tenant may make now.
SessionFsm::Next SessionFsm::serve(const Request& request, const CommandRule& rule, Turn& turn) {
  switch (rule.kind) {
    case CommandKind::kPlain:
      return only_subscribes() ? ping_as_subscriber(request, turn) : pass_on(request, rule, turn);
    case CommandKind::kKeyspace:
      return has_prefix(turn) ? about_all_keys(request, rule, turn) : pass_on(request, rule, turn);
    case CommandKind::kSubscribe:
    case CommandKind::kUnsubscribe:
      return subscribe(request, rule, turn);
    case CommandKind::kBlocking:
    case CommandKind::kMulti:
    case CommandKind::kWatch:
      return pass_on_held(request, rule, turn);
    case CommandKind::kUnwatch:
      return unwatch(request, rule, turn);
    case CommandKind::kEval:
    case CommandKind::kEvalSha:
    case CommandKind::kScriptLoad:
    case CommandKind::kScriptExists:
    case CommandKind::kScriptFlush:
      return script(request, rule, turn);
    case CommandKind::kFcall:
      if (!provides_function(backend_of(*turn.tenant), request.first)) {
        return refuse(turn, fmt::format("NOPERM function '{}' is not provided here",
                                        request.first.substr(0, kQuotedBytes)));
      }
      return pass_on(request, rule, turn);
    case CommandKind::kCopy:
      return copy(request, rule, turn);
    case CommandKind::kMove:
      return move(request, turn);
    case CommandKind::kCommand:
      return ask_about_commands(request, turn);
    case CommandKind::kFlush:
    case CommandKind::kInfo:
      return has_prefix(turn) ? about_all_keys(request, rule, turn) : rewrite(request, rule, turn);
    case CommandKind::kPublish:
      return rewrite(request, rule, turn);
    case CommandKind::kChannels:
    case CommandKind::kChannelCounts:
      return ask_about_channels(request, rule, turn);
    default:
      return answer_locally(request, rule, turn);
  }
}

// Why the tenant may not do this now; empty: it may.
std::string SessionFsm::refusal(const Request& request, const CommandRule& rule,
                                const Turn& turn) const {
  if (turn.expired)
    return "NOAUTH the context has expired; AUTH again with the one of the current request";
  if (!is_served(turn.tenant->status)) {
    return fmt::format("NOPERM tenant {} is {}", turn.tenant->slug, to_string(turn.tenant->status));
  }
  if (only_subscribes() && !is_subscription(rule.kind) && rule.name != "ping") {
    return fmt::format(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
        "allowed in this context",
        rule.name);
  }
  if (rule.kind == CommandKind::kDenied) {
    return fmt::format("NOPERM '{}' is not available here: {}", rule.name, rule.reason);
  }
  if (!allows(turn.tenant->limits.cache_scripts, rule.kind)) {
    return fmt::format(
        "NOPERM '{}' is not available here: tier {} has `cache.scripts: {}` for tenant {}",
        rule.name, turn.tenant->tier, to_string(turn.tenant->limits.cache_scripts),
        turn.tenant->slug);
  }
  if (database_ >= databases_of(turn) && rule.kind != CommandKind::kSelect) {
    return fmt::format("ERR DB index is out of range: the databases of this tenant are 0 to {}",
                       databases_of(turn) - 1);
  }
  if (turn.tenant->status == TenantStatus::kReadOnly && rule.effect != CommandEffect::kReads) {
    return fmt::format("NOPERM tenant {} is read-only for now; try again later", turn.tenant->slug);
  }
  if (transaction_.open && !may_be_queued(rule.kind)) {
    return fmt::format("ERR '{}' is not available inside MULTI here", to_lower(request.name));
  }
  return {};
}

SessionFsm::Next SessionFsm::pass_on(const Request& request, const CommandRule& rule, Turn& turn) {
  const auto upstream = upstream_for_plain(turn);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  if (rule.keys.form == KeyLayout::Form::kSort && has_prefix(turn) &&
      sort_reads_by_pattern(request, rule.keys)) {
    return sort_by_pattern(request, rule, turn);
  }
  if (must_wait_for(**upstream, turn)) return Next::kWait;
  if (const auto other = enter_lane(rule, turn)) return *other;
  if (const auto other = admit(request, request.argument_count, rule, turn)) return *other;
  lane_place_.use();
  note_script(rule, **upstream, turn);
  send(**upstream, request, rule, turn);
  return Next::kDone;
}

// Requests that Redis must not get as they are, or whose replies the client must not.
SessionFsm::Next SessionFsm::rewrite(const Request& request, const CommandRule& rule, Turn& turn) {
  std::string text;
  ReplyUse use = ReplyUse::kPass;
  if (rule.kind == CommandKind::kFlush) {
    // In the background, because in the foreground it would hold up everybody.
    const bool known =
        request.argument_count == 1 ||
        (request.argument_count == 2 && (equal_ignoring_case(request.first, "async") ||
                                         equal_ignoring_case(request.first, "sync")));
    if (!known) return refuse(turn, "ERR syntax error");
    if (rule.name == "flushall" && databases_of(turn) > 1) return flush_all(turn);
    text = make_request({"FLUSHDB", "ASYNC"});
  } else if (rule.kind == CommandKind::kPublish) {
    if (request.argument_count != 3) return refuse(turn, wrong_arguments(rule.name));
    text = with_channel_prefix(request, channel_prefix(turn.tenant->id), Prefixed::kFirstArgument);
  } else {
    text = make_request({"DBSIZE"});
    use = ReplyUse::kInfo;
  }
  const Next next = pass_on_instead(text, use, turn);
  if (rule.kind == CommandKind::kFlush && next == Next::kDone) {
    if (has_quota(turn)) quota_->note_removal();
    if (transaction_.open) {
      transaction_.flushes = true;
    } else if (held_ || turn.shared != nullptr) {
      announce_flush(held_ ? *held_->upstream : *turn.shared, database_, turn);
    }
  }
  return next;
}

// One request in the place of another; none of its arguments is a key.
SessionFsm::Next SessionFsm::pass_on_instead(std::string_view text, ReplyUse use, Turn& turn) {
  const auto upstream = upstream_for_plain(turn);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  if (must_wait_for(**upstream, turn)) return Next::kWait;
  if (const auto other = count_against_rate(turn)) return *other;
  flush(turn);
  if (transaction_.open && !(*upstream)->key_prefix().empty())
    transaction_.queued.push_back(ReplyKeys::kNone);
  send_now(held_ ? held_->upstream : turn.shared, text, use);
  return Next::kDone;
}

SessionFsm::Next SessionFsm::ask_about_commands(const Request& request, Turn& turn) {
  if (auto answer = command_answer(request, turn.tenant->limits.cache_scripts))
    return reply(turn, *std::move(answer));
  return pass_on_instead(about_own_commands(request, turn.tenant->limits.cache_scripts),
                         ReplyUse::kPass, turn);
}

SessionFsm::Next SessionFsm::answer_locally(const Request& request, const CommandRule& rule,
                                            Turn& turn) {
  switch (rule.kind) {
    case CommandKind::kSelect:
      return select(request, turn);
    case CommandKind::kRole:
      return reply(turn, role_answer());
    case CommandKind::kConfigGet:
      return reply(turn, request.argument_count < 3
                             ? make_error(wrong_arguments("config|get"))
                             : config_get_answer(request, *turn.tenant, backend_of(*turn.tenant),
                                                 protocol_));
    case CommandKind::kConfigSet:
      return reply(turn, config_set_answer(request, backend_of(*turn.tenant)));
    case CommandKind::kClient:
      return client(request, rule, turn);
    case CommandKind::kFunctionList:
      return reply(turn, function_list_answer(request, backend_of(*turn.tenant), protocol_));
    case CommandKind::kSlowLog:
      return reply(turn, slow_log_answer(request, host_.slow_log, turn.tenant->id));
    case CommandKind::kLatency:
      return reply(turn, latency_answer(request, protocol_));
    case CommandKind::kMemory:
      return reply(turn, memory_answer(request, protocol_));
    case CommandKind::kPubsub:
      return reply(turn, pubsub_answer(request, host_.clients.of(turn.tenant->id)));
    case CommandKind::kWhoami: {
      std::string text;
      append_bulk(text, login_->user);
      return reply(turn, std::move(text));
    }
    case CommandKind::kClusterOff:
      return reply(turn, make_error("ERR This instance has cluster support disabled"));
    default:
      return refuse(turn, fmt::format("NOPERM '{}' is not available here", rule.name));
  }
}

SessionFsm::Next SessionFsm::refuse(Turn& turn, std::string_view text) {
  count(CacheMeter::kRefused);
  if (transaction_.open) transaction_.refused = true;
  return reply(turn, make_error(text));
}

std::optional<SessionFsm::Next> SessionFsm::count_against_rate(Turn& turn) {
  if (const auto other = wait_for_time(turn)) return other;
  const RateDecision rate = host_.limits_desk.admit(*turn.tenant, LimitKind::kCacheRate, turn.now);
  if (rate.admitted) return std::nullopt;
  if (!rate.pending) return refuse_over_rate(turn, rate.retry_after);
  host_.limits_desk.wait(ask_about(*turn.tenant, LimitKind::kCacheRate), limit_wait_);
  return Next::kWait;
}

SessionFsm::Next SessionFsm::refuse_over_rate(Turn& turn, Duration retry_after) {
  count(CacheMeter::kThrottled);
  if (transaction_.open) transaction_.refused = true;
  const auto wait = std::chrono::ceil<milliseconds>(retry_after);
  const RateLimit& limit = turn.tenant->limits.cache_rate;
  return reply(
      turn,
      make_error(fmt::format(
          "LIMIT more than {} commands in {} ms (cache_rate); try again in {} ms", limit.tokens,
          std::chrono::duration_cast<milliseconds>(limit.period).count(), wait.count())));
}

// An answer of the door's, behind what Redis still has to answer.
SessionFsm::Next SessionFsm::reply(Turn& turn, std::string text) {
  flush(turn);
  if (was_refused()) give_up_busy();
  if (outstanding_ == 0) {
    say(text);
  } else {
    ++outstanding_;
    waiting_bytes_ += text.size();
    route_->answer_in_turn(*this, std::move(text));
  }
  return Next::kDone;
}

const CacheBackend& SessionFsm::backend_of(const Tenant& tenant) const {
  static const CacheBackend none;
  const Cell* cell = host_.directory->find_cell(tenant.cell);
  return cell == nullptr ? none : cell->cache;
}

ChannelNames SessionFsm::names_of(const Tenant& tenant) const {
  return {tenant, backend_of(tenant)};
}

ClientView SessionFsm::view() const {
  return {.id = id_,
          .protocol = protocol_,
          .database = database_,
          .user = login_ ? std::string_view(login_->user) : std::string_view()};
}

}  // namespace partywall::cache
