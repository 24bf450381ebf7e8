#include <fmt/format.h>

#include "base/ascii.h"
#include "base/text.h"
#include "cache/clients/client_answers.h"
#include "cache/clients/client_filter.h"
#include "cache/commands/command_rule.h"
#include "cache/session_fsm.h"

// CLIENT: what a client says about itself, and does to the other clients of its tenant.
namespace partywall::cache {
namespace {

constexpr size_t kMaxNameBytes = 128;
constexpr const char* kBadName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

std::string ok() { return "+OK\r\n"; }

// The argument behind the sub-command, of which there is one.
std::string_view third(const Request& request) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  return *cursor.next();
}

}  // namespace

SessionFsm::Next SessionFsm::client(const Request& request, const CommandRule& rule, Turn& turn) {
  const std::string_view what = rule.name.substr(rule.name.find('|') + 1);
  const bool wrong_count = rule.arity > 0
                               ? request.argument_count != static_cast<uint32_t>(rule.arity)
                               : request.argument_count < static_cast<uint32_t>(-rule.arity);
  if (wrong_count) return refuse(turn, wrong_arguments(rule.name));
  if (what == "tracking") return set_tracking(request, turn);
  if (what == "caching") return set_caching(request, turn);
  if (what == "reply") return set_replies(request, turn);
  if (what == "kill") return kill_clients(request, turn);
  if (what == "unblock") return unblock_client(request, turn);
  return reply(turn, client_answer(request, what, turn));
}

std::string SessionFsm::client_answer(const Request& request, std::string_view what,
                                      const Turn& turn) {
  std::string out;
  if (what == "id") {
    append_integer(out, static_cast<int64_t>(id_));
  } else if (what == "getredir") {
    append_integer(out, redirection());
  } else if (what == "trackinginfo") {
    return tracking_info();
  } else if (what == "getname") {
    self_.name.empty() ? append_null(out, protocol_) : append_bulk(out, self_.name);
  } else if (what == "setname") {
    return set_client_name(third(request));
  } else if (what == "setinfo") {
    return set_client_library(request);
  } else if (what == "info") {
    return verbatim(client_line(self_, turn.now), protocol_);
  } else if (what == "list") {
    return client_list_answer(request, host_.clients.of(turn.tenant->id), self_, turn.now);
  } else if (what == "help") {
    return client_help_answer();
  } else {
    return switch_answer(request, what);
  }
  return out;
}

std::string SessionFsm::set_client_name(std::string_view name) {
  if (!is_client_name(name) || name.size() > kMaxNameBytes) return make_error(kBadName);
  self_.name = name;
  register_self();
  return ok();
}

// CLIENT SETINFO LIB-NAME or LIB-VER.
std::string SessionFsm::set_client_library(const Request& request) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const auto attribute = cursor.next();
  const auto value = cursor.next();
  const bool is_name = equal_ignoring_case(*attribute, "lib-name");
  if (!is_name && !equal_ignoring_case(*attribute, "lib-ver"))
    return make_error(
        fmt::format("ERR Unrecognized option '{}'", attribute->substr(0, kMaxNameBytes)));
  if (!is_client_name(*value) || value->size() > kMaxNameBytes) {
    return make_error(fmt::format("ERR {} cannot contain spaces, newlines or special characters.",
                                  to_lower(*attribute)));
  }
  (is_name ? self_.library : self_.library_version) = *value;
  register_self();
  return ok();
}

// What the others see of this client.
void SessionFsm::register_self() {
  if (!login_) return;
  self_.tenant = login_->tenant;
  self_.user = login_->user;
  self_.database = database_;
  self_.protocol = protocol_;
  self_.subscribed = !subscriptions_.empty();
  self_.patterns = subscriptions_.patterns();
  host_.clients.enter(self_);
}

void SessionFsm::set_blocked(bool blocked) {
  self_.blocked = blocked;
  if (login_) host_.clients.set_blocked(id_, blocked);
}

SessionFsm::Next SessionFsm::kill_clients(const Request& request, Turn& turn) {
  const auto filter = parse_kill_filter(request);
  if (!filter) return refuse(turn, filter.error().message);
  int64_t killed = 0;
  bool me = false;
  for (const ClientRecord& client : host_.clients.of(turn.tenant->id)) {
    if (!filter->matches(client, id_, turn.now)) continue;
    ++killed;
    if (client.id == id_) {
      me = true;
    } else {
      host_.clients.order(client.id, ClientOrder::kKill);
    }
  }
  std::string text;
  if (!filter->old_form) {
    append_integer(text, killed);
  } else if (killed == 0) {
    return refuse(turn, "ERR No such client");
  } else {
    text = ok();
  }
  const Next next = reply(turn, std::move(text));
  if (me) closing_ = true;
  return next;
}

SessionFsm::Next SessionFsm::unblock_client(const Request& request, Turn& turn) {
  ArgumentCursor cursor(request);
  cursor.next();
  cursor.next();
  const auto id = parse_unsigned(*cursor.next());
  const auto how = cursor.next();
  if (!id) return refuse(turn, "ERR value is not an integer or out of range");
  const bool with_error = how && equal_ignoring_case(*how, "error");
  if (cursor.left() > 0 || (how && !with_error && !equal_ignoring_case(*how, "timeout")))
    return refuse(turn, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  const auto client = host_.clients.find(turn.tenant->id, *id);
  const bool blocked = client && client->blocked;
  if (blocked) {
    host_.clients.order(*id, with_error ? ClientOrder::kUnblockWithError : ClientOrder::kUnblock);
  }
  return reply(turn, blocked ? ":1\r\n" : ":0\r\n");
}

// Another client of the tenant has asked for it.
void SessionFsm::obey(ClientOrder order, std::string_view key) {
  if (order == ClientOrder::kInvalidate) return redirected(key);
  if (order == ClientOrder::kInvalidateAll) return redirected(std::nullopt);
  if (order == ClientOrder::kKill) {
    drop_work();
    drop_held();
    drop_subscriber();
    muted_ = true;
    closing_ = true;
    if (outstanding_ > 0) std::exchange(route_, nullptr)->abandon(*this);
    outstanding_ = 0;
    output_.clear();
    return waker_.wake();
  }
  if (!held_ || held_->hold != Hold::kBlocking || outstanding_ == 0) return;
  held_->owner->unblock(*held_->upstream, order == ClientOrder::kUnblock ? Unblock::kAsByTimeout
                                                                         : Unblock::kWithError);
}

// CLIENT REPLY. It counts from the next request on: what was asked before is answered as it was
// asked for.
SessionFsm::Next SessionFsm::set_replies(const Request& request, Turn& turn) {
  const std::string_view mode = third(request);
  if (equal_ignoring_case(mode, "on")) {
    if (!all_answered(turn)) return Next::kWait;
    replies_ = Replies::kOn;
    return reply(turn, ok());
  }
  const bool off = equal_ignoring_case(mode, "off");
  if (!off && !equal_ignoring_case(mode, "skip")) return refuse(turn, "ERR syntax error");
  if (!all_answered(turn)) return Next::kWait;
  if (off) {
    replies_ = Replies::kOff;
  } else if (replies_ != Replies::kOff) {
    replies_ = Replies::kSkipNext;
  }
  return Next::kDone;
}

}  // namespace partywall::cache
