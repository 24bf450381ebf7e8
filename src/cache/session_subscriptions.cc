#include <fmt/format.h>

#include "base/ascii.h"
#include "cache/channel_names.h"
#include "cache/commands/command_rule.h"
#include "cache/session_fsm.h"
#include "cache/tenant_user.h"

// SUBSCRIBE and its like. A session that subscribes gets a second connection to Redis, for that
// alone.
namespace partywall::cache {
namespace {

// UNSUBSCRIBE or PUNSUBSCRIBE without names, in prefix mode: Redis would end other subscriptions,
// because what is a channel to the client may be a pattern there.
Result<std::string> unsubscribe_each(const Request& request,
                                     const std::set<std::string>& subscribed,
                                     const ChannelNames& names, NamesAre what) {
  if (subscribed.empty()) {
    return what == NamesAre::kPatterns
               ? make_request({request.name, names.key_events().pattern_of_nothing()})
               : std::string(request.bytes);
  }
  std::string text;
  append_array_header(text, subscribed.size() + 1);
  append_bulk(text, request.name);
  for (const std::string& name : subscribed) append_bulk(text, name);
  RequestParser parser;
  parser.parse(text, {.max_request_bytes = text.size()});
  return with_redis_names(parser.request(), names, what);
}

}  // namespace

// In RESP2 a subscriber may do little else, because it could not tell replies from messages.
bool SessionFsm::only_subscribes() const {
  return protocol_ == Protocol::kResp2 && !subscriptions_.empty();
}

SessionFsm::Next SessionFsm::subscribe(const Request& request, const CommandRule& rule,
                                       Turn& turn) {
  if (!all_answered(turn)) return Next::kWait;
  const bool adds = rule.kind == CommandKind::kSubscribe;
  if (adds && request.argument_count < 2) return refuse(turn, wrong_arguments(rule.name));
  if (adds &&
      subscriptions_.count() + request.argument_count - 1 > host_.limits.max_subscriptions) {
    return refuse(turn, fmt::format("LIMIT more than {} subscriptions of one client",
                                    host_.limits.max_subscriptions));
  }
  if (!adds && !subscriber_)
    return reply(turn, unsubscribed_from_nothing(request, rule.name, protocol_));
  const auto family = subscription_family(rule.name);
  const auto text = subscription_request(request, family, turn);
  if (!text) return refuse(turn, text.error().message);
  if (const auto other = count_against_rate(turn)) return *other;
  if (auto ready = open_subscriber(turn); !ready) {
    const bool limit = ready.error().kind == ErrorKind::kLimit;
    return refuse(turn, (limit ? "LIMIT " : "ERR ") + ready.error().message);
  }
  confirmations_ += adds ? subscriptions_.subscribe(family, request)
                         : subscriptions_.unsubscribe(family, request);
  register_self();
  subscriber_->upstream->send(*text);
  return Next::kDone;
}

// As Redis is to get it.
Result<std::string> SessionFsm::subscription_request(const Request& request,
                                                     Subscriptions::Family family,
                                                     const Turn& turn) const {
  if (family == Subscriptions::Family::kShardChannels)
    return with_channel_prefix(request, channel_prefix(turn.tenant->id), Prefixed::kAllArguments);
  const ChannelNames names = names_of(*turn.tenant);
  const NamesAre what =
      family == Subscriptions::Family::kPatterns ? NamesAre::kPatterns : NamesAre::kChannels;
  if (request.argument_count == 1 && names.key_events().present())
    return unsubscribe_each(request, subscriptions_.names(family), names, what);
  return with_redis_names(request, names, what);
}

// In RESP2 the answer comes as a message between the others.
SessionFsm::Next SessionFsm::ping_as_subscriber(const Request& request, Turn& turn) {
  if (request.argument_count > 2) return refuse(turn, wrong_arguments("ping"));
  ++confirmations_;
  subscriber_->upstream->send(request.bytes);
  return Next::kDone;
}

Result<> SessionFsm::open_subscriber(Turn& turn) {
  if (subscriber_) return {};
  ChannelNames names = names_of(*turn.tenant);
  const auto upstreams = tenant_upstreams(turn);
  if (!upstreams) return std::unexpected(upstreams.error());
  auto opened = (*upstreams)->open_subscriber(*this, names, turn.now);
  if (!opened) return std::unexpected(opened.error());
  subscriber_ = Subscriber{std::move(*opened), upstreams_, std::move(names)};
  return {};
}

void SessionFsm::drop_subscriber() {
  subscriptions_.clear();
  confirmations_ = 0;
  if (!subscriber_) return;
  const Subscriber subscriber = *std::exchange(subscriber_, std::nullopt);
  subscriber.upstream->detach();
  subscriber.owner->subscriber_ended();
}

void SessionFsm::deliver(const PushFrame& frame) {
  if (frame.kind != PushFrame::Kind::kMessage && confirmations_ > 0) --confirmations_;
  // Between two replies, never within one.
  if (outstanding_ > 0 && route_->delivers_to(*this)) {
    messages_ += frame.text;
  } else {
    push(frame.text);
  }
  if (confirmations_ == 0 && subscriptions_.empty()) drop_subscriber();
  waker_.wake();
}

void SessionFsm::deliver_kept_messages() {
  if (messages_.empty() || (outstanding_ > 0 && route_->delivers_to(*this))) return;
  push(messages_);
  messages_.clear();
}

// As with Redis itself: the client notices by the end of its connection.
void SessionFsm::subscriber_lost() {
  if (!subscriber_) return;  // it could not even be opened, which whoever opens it will say
  subscriber_->owner->subscriber_ended();
  subscriber_.reset();
  closing_ = true;
  waker_.wake();
}

// PUBSUB CHANNELS and NUMSUB. As the subscribers' user: of one that may ask, scripts could ask for
// everybody's.
SessionFsm::Next SessionFsm::ask_about_channels(const Request& request, const CommandRule& rule,
                                                Turn& turn) {
  const bool counts = rule.kind == CommandKind::kChannelCounts;
  if (!counts && request.argument_count > 3) return refuse(turn, wrong_arguments(rule.name));
  if (!all_answered(turn)) return Next::kWait;
  if (const auto other = count_against_rate(turn)) return *other;
  const auto upstreams =
      host_.upstreams.of(*turn.tenant, Protocol::kResp2, UpstreamUser::kChannels, database_);
  if (!upstreams) return refuse(turn, "ERR " + upstreams.error().message);
  const auto upstream = (*upstreams)->shared(turn.now);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  const std::string prefix = channel_prefix(turn.tenant->id);
  const std::string text = !counts && request.argument_count == 2
                               ? make_request({request.name, request.first, prefix + "*"})
                               : with_channel_prefix(request, prefix, Prefixed::kAfterFirst);
  send_now(*upstream, text, counts ? ReplyUse::kChannelCounts : ReplyUse::kChannels);
  return Next::kDone;
}

}  // namespace partywall::cache
