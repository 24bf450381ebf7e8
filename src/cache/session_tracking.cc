#include <fmt/format.h>

#include "base/ascii.h"
#include "base/text.h"
#include "cache/commands/command_rule.h"
#include "cache/prefix/key_walk.h"
#include "cache/session_fsm.h"

// CLIENT TRACKING: clients that keep what they have read, and are told when it changes.
namespace partywall::cache {
namespace {

constexpr std::string_view kInvalidateChannel = "__redis__:invalidate";

struct TrackingOptions {
  bool on = false;
  std::optional<uint64_t> redirect;
  TrackingMode mode = TrackingMode::kDefault;
  bool own_changes = true;  // no NOLOOP
};

Result<TrackingOptions> parse_options(const Request& request) {
  TrackingOptions options;
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const std::string_view state = *cursor.next();
  options.on = equal_ignoring_case(state, "on");
  if (!options.on && !equal_ignoring_case(state, "off"))
    return fail(ErrorKind::kInvalid, "ERR syntax error");
  while (const auto option = cursor.next()) {
    const auto is = [&](std::string_view name) { return equal_ignoring_case(*option, name); };
    if (is("redirect") && cursor.left() > 0) {
      const auto id = parse_unsigned(*cursor.next());
      if (!id) return fail(ErrorKind::kInvalid, "ERR value is not an integer or out of range");
      options.redirect = *id;
    } else if (is("optin") && options.mode != TrackingMode::kOptOut) {
      options.mode = TrackingMode::kOptIn;
    } else if (is("optout") && options.mode != TrackingMode::kOptIn) {
      options.mode = TrackingMode::kOptOut;
    } else if (is("optin") || is("optout")) {
      return fail(ErrorKind::kInvalid, "ERR You can't specify both OPTIN mode and OPTOUT mode");
    } else if (is("noloop")) {
      options.own_changes = false;
    } else if (is("bcast") || is("prefix")) {
      return fail(ErrorKind::kDenied,
                  "NOPERM 'client tracking' is available without BCAST only: that would tell of "
                  "keys that the client has not read");
    } else {
      return fail(ErrorKind::kInvalid, "ERR syntax error");
    }
  }
  return options;
}

std::string invalidation(std::optional<std::string_view> key, Protocol protocol) {
  std::string out;
  if (protocol == Protocol::kResp3) {
    out = ">2\r\n";
    append_bulk(out, "invalidate");
  } else {
    out = "*3\r\n";
    append_bulk(out, "message");
    append_bulk(out, kInvalidateChannel);
  }
  if (key) {
    append_array_header(out, 1);
    append_bulk(out, *key);
  } else {
    append_null(out, protocol);
  }
  return out;
}

}  // namespace

SessionFsm::Next SessionFsm::set_tracking(const Request& request, Turn& turn) {
  const auto options = parse_options(request);
  if (!options) return refuse(turn, options.error().message);
  if (!all_answered(turn)) return Next::kWait;
  if (!options->on) {
    end_tracking();
    return reply(turn, "+OK\r\n");
  }
  const CacheBackend& backend = backend_of(*turn.tenant);
  if (!backend.keyspace_events) {
    return refuse(turn,
                  "NOPERM client-side caching needs keyspace notifications, which are off on this "
                  "server; ask its operator");
  }
  // While keys move between its nodes, one of them does not hear what happens at the other.
  const CacheInstance* instance = backend.find_instance(turn.tenant->cache_instance);
  if (instance != nullptr && instance->topology == CacheTopology::kCluster)
    return refuse(turn, "NOPERM client-side caching is not available on a Redis Cluster");
  if (options->redirect && !host_.clients.find(turn.tenant->id, *options->redirect)) {
    return refuse(turn,
                  "ERR The client ID you want redirect to does not exist (of this tenant, on this "
                  "node)");
  }
  if (tracking_ && tracking_->mode != options->mode) {
    return refuse(turn,
                  "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this "
                  "client");
  }
  if (!tracking_) {
    const auto upstreams = tenant_upstreams(turn);
    auto feed = upstreams ? host_.tracking.of(upstreams_, *turn.tenant, database_, turn.now)
                          : std::unexpected(upstreams.error());
    if (!feed) {
      const bool limit = feed.error().kind == ErrorKind::kLimit;
      return refuse(turn, (limit ? "LIMIT " : "ERR ") + feed.error().message);
    }
    (*feed)->join(id_, *this);
    tracking_ = Tracking{.feed = std::move(*feed), .mode = options->mode};
  }
  tracking_->redirect = options->redirect.value_or(0);
  tracking_->own_changes = options->own_changes;
  // Redis must have confirmed before anything may be kept.
  if (!tracking_->feed->usable()) {
    end_tracking();
    return refuse(turn, "ERR the cache cannot be reached now; try again");
  }
  return tracking_->feed->ready() ? reply(turn, "+OK\r\n") : Next::kWait;
}

// CLIENT CACHING YES or NO: about the next command, or the next transaction.
SessionFsm::Next SessionFsm::set_caching(const Request& request, Turn& turn) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const std::string_view word = *cursor.next();
  const bool yes = equal_ignoring_case(word, "yes");
  if (!yes && !equal_ignoring_case(word, "no")) return refuse(turn, "ERR syntax error");
  const TrackingMode needed = yes ? TrackingMode::kOptIn : TrackingMode::kOptOut;
  if (!tracking_ || tracking_->mode != needed) {
    return refuse(turn, yes ? "ERR CLIENT CACHING YES is only valid when tracking is enabled in "
                              "OPTIN mode."
                            : "ERR CLIENT CACHING NO is only valid when tracking is enabled in "
                              "OPTOUT mode.");
  }
  tracking_->exception = true;
  return reply(turn, "+OK\r\n");
}

std::string SessionFsm::tracking_info() const {
  std::vector<std::string_view> flags = {tracking_ ? "on" : "off"};
  if (tracking_ && tracking_->mode == TrackingMode::kOptIn) flags.emplace_back("optin");
  if (tracking_ && tracking_->mode == TrackingMode::kOptOut) flags.emplace_back("optout");
  if (tracking_ && tracking_->exception)
    flags.emplace_back(tracking_->mode == TrackingMode::kOptIn ? "caching-yes" : "caching-no");
  if (tracking_ && !tracking_->own_changes) flags.emplace_back("noloop");
  std::string out;
  append_map_header(out, protocol_, 3);
  append_bulk(out, "flags");
  append_array_header(out, flags.size());
  for (const std::string_view flag : flags) append_bulk(out, flag);
  append_bulk(out, "redirect");
  append_integer(out, redirection());
  append_bulk(out, "prefixes");
  append_array_header(out, 0);
  return out;
}

// CLIENT GETREDIR: -1 without tracking, 0 without redirection.
int64_t SessionFsm::redirection() const {
  return tracking_ ? static_cast<int64_t>(tracking_->redirect) : -1;
}

// Before the command is sent, so that no change between the two is missed.
void SessionFsm::track(const Request& request, const CommandRule& rule) {
  const bool reads = rule.effect == CommandEffect::kReads;
  const bool keeps = tracking_->mode == TrackingMode::kDefault ||
                     (tracking_->mode == TrackingMode::kOptIn) == tracking_->exception;
  if (!transaction_.open) tracking_->exception = false;
  if (rule.keys.form == KeyLayout::Form::kNone) return;
  if ((reads && !keeps) || (!reads && tracking_->own_changes)) return;
  KeyWalk walk(rule.keys, request.argument_count);
  ArgumentCursor cursor(request);
  while (const auto argument = cursor.next()) {
    if (walk.next(*argument) != ArgumentRole::kKey) continue;
    if (!reads) {
      tracking_->feed->forget(*argument, id_);
    } else if (transaction_.open) {
      transaction_.read_keys.emplace_back(*argument);  // only EXEC reads them
    } else {
      tracking_->feed->remember(*argument, id_);
    }
  }
}

void SessionFsm::invalidated(std::optional<std::string_view> key) {
  if (tracking_->redirect != 0) {
    host_.clients.order(tracking_->redirect,
                        key ? ClientOrder::kInvalidate : ClientOrder::kInvalidateAll,
                        std::string(key.value_or("")));
  } else if (protocol_ == Protocol::kResp3) {
    tell_invalidated(key);
  }
}

// Behind the replies that are still to come: one of them may be what the client is going to keep.
void SessionFsm::tell_invalidated(std::optional<std::string_view> key) {
  invalidations_.push_back({.due = answered_ + outstanding_, .text = invalidation(key, protocol_)});
  deliver_invalidations();
  waker_.wake();
}

void SessionFsm::deliver_invalidations() {
  if (outstanding_ > 0 && route_->delivers_to(*this)) return;
  while (!invalidations_.empty() &&
         (outstanding_ == 0 || invalidations_.front().due <= answered_)) {
    push(invalidations_.front().text);
    invalidations_.pop_front();
  }
}

// From another client, which redirects to this one.
void SessionFsm::redirected(std::optional<std::string_view> key) {
  if (protocol_ == Protocol::kResp3 || subscriptions_.has(kInvalidateChannel))
    tell_invalidated(key);
}

// To all doors that keep track: Redis has no notification for it.
void SessionFsm::announce_flush(UpstreamFsm& upstream, uint32_t database, const Turn& turn) {
  if (!upstream.usable() || !backend_of(*turn.tenant).keyspace_events) return;
  upstream.send_for_nobody(
      make_request({"PUBLISH", names_of(*turn.tenant).to_redis(flushed_channel(database)), "1"}));
}

void SessionFsm::tracking_changed() {
  // With the feed goes everything that the client relies on, as with its connection in Redis.
  if (tracking_ && !tracking_->feed->usable()) closing_ = true;
  waker_.wake();
}

void SessionFsm::end_tracking() {
  if (!tracking_) return;
  tracking_->feed->leave(id_);
  tracking_.reset();
  invalidations_.clear();
}

}  // namespace partywall::cache
