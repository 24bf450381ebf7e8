#include "cluster/limit_session.h"

#include <algorithm>

namespace partywall {
namespace {

// What stands for an answer that could not be had: nothing now, and ask again soon.
LeaseBook::Answer nothing_yet(LimitKind kind) {
  if (is_rate(kind)) return RateLedger::Answer{.wait_us = kLeastPause / microseconds(1)};
  return SlotLedger::Answer{.granted = -1};
}

}  // namespace

LimitSession::LimitSession(const LimitLogin& login, LeaseBook& book, StoreReturn& comeback,
                           SharedLimits& shared, MonotonicTime now)
    : login_(login), book_(book), comeback_(comeback), shared_(shared) {
  if (!login_.user.empty()) {
    const std::string words[] = {"AUTH", login_.user, std::string(login_.password.reveal())};
    request(words, {.what = Expected::kLogin, .sent = now});
  }
  load_scripts(now);
}

void LimitSession::closed(MonotonicTime now) {
  comeback_.lost(now);
  book_.lost(now);
}

void LimitSession::request(std::span<const std::string> words, const Unanswered& unanswered) {
  std::string bytes;
  redis::append_request(bytes, words);
  output_.append(bytes);
  unanswered_.push_back(unanswered);
}

void LimitSession::load_scripts(MonotonicTime now) {
  for (const LimitScript script : kLimitScripts) {
    const std::string words[] = {"SCRIPT", "LOAD", std::string(text_of(script))};
    request(words,
            {.what = Expected::kScript, .sent = now, .ticket = static_cast<uint64_t>(script)});
    ++scripts_missing_;
  }
}

void LimitSession::receive(std::string_view bytes, MonotonicTime now) {
  reader_.feed(bytes);
  while (!failure_) {
    const auto reply = reader_.next();
    if (!reply) {
      failure_ = reply.error();
    } else if (!*reply) {
      break;
    } else if (unanswered_.empty()) {
      failure_ = Error{ErrorKind::kInvalid, "the limits store answers what was not asked"};
    } else {
      take(**reply, now);
    }
  }
}

void LimitSession::take(const redis::Reply& reply, MonotonicTime now) {
  const Unanswered unanswered = unanswered_.front();
  unanswered_.pop_front();
  if (reply.is_error()) return take_error(unanswered, reply, now);
  Result<> taken;
  switch (unanswered.what) {
    case Expected::kLogin:
      break;
    case Expected::kScript:
      digests_[unanswered.ticket] = reply.text;
      if (--scripts_missing_ == 0 && comeback_.state() == StoreReturn::State::kAway) {
        comeback_.connected(now);
        book_.connected();
      }
      break;
    case Expected::kBeat:
      taken = take_beat(unanswered, reply);
      break;
    case Expected::kCall:
      taken = take_call(unanswered, reply, now);
      break;
  }
  if (!taken) failure_ = taken.error();
}

// SCRIPT FLUSH, or a Redis that was replaced behind the same address: the scripts are loaded again,
// and the call is made again when somebody wants it.
void LimitSession::take_error(const Unanswered& unanswered, const redis::Reply& reply,
                              MonotonicTime now) {
  const bool no_script = reply.text.starts_with("NOSCRIPT");
  if (!no_script || (unanswered.what != Expected::kBeat && unanswered.what != Expected::kCall)) {
    failure_ = Error{ErrorKind::kDenied, "the limits store answers: " + reply.text};
    return;
  }
  if (scripts_missing_ == 0) load_scripts(now);
  if (unanswered.what == Expected::kCall) {
    book_.answered(unanswered.ticket, nothing_yet(unanswered.kind), now);
  } else {
    comeback_.beat_lost();
  }
}

Result<> LimitSession::take_beat(const Unanswered& unanswered, const redis::Reply& reply) {
  const auto answer = node_answer(reply);
  if (!answer) return std::unexpected(answer.error());
  comeback_.answered(*answer, unanswered.sent);
  // While the nodes come back one by one their shares stay what they were.
  const auto live = static_cast<uint32_t>(std::clamp<int64_t>(answer->live, 1, UINT32_MAX));
  if (shared_.source() == SharedLimits::Source::kStore || live > shared_.live_nodes())
    shared_.set_live_nodes(live);
  return {};
}

Result<> LimitSession::take_call(const Unanswered& unanswered, const redis::Reply& reply,
                                 MonotonicTime now) {
  if (is_rate(unanswered.kind)) {
    const auto answer = rate_answer(reply);
    if (!answer) return std::unexpected(answer.error());
    book_.answered(unanswered.ticket, answer->answer, now);
  } else {
    const auto answer = slot_answer(reply);
    if (!answer) return std::unexpected(answer.error());
    book_.answered(unanswered.ticket, answer->answer, now);
  }
  return {};
}

void LimitSession::run(MonotonicTime now) {
  if (!unanswered_.empty() && now >= unanswered_.front().sent + login_.answer_timeout) {
    failure_ = Error{ErrorKind::kTimeout, "the limits store does not answer in time"};
  }
  if (failure_) return;
  if (const auto opening = comeback_.take_opening(now)) book_.open(*opening, now);
  if (now >= next_tick_) {
    book_.tick(now);
    next_tick_ = now + LeaseBook::kTick;
  }
  if (comeback_.state() == StoreReturn::State::kAway) return;
  if (const auto beat = comeback_.take_beat(now))
    request(node_request(*beat, digests_), {.what = Expected::kBeat, .sent = now});
  for (const LeaseBook::Call& call : book_.take_calls(now)) {
    request(limit_request(call, digests_),
            {.what = Expected::kCall, .sent = now, .ticket = call.ticket, .kind = call.what.kind});
  }
}

MonotonicTime LimitSession::deadline(MonotonicTime now) const {
  MonotonicTime deadline = std::min(next_tick_, now + LeaseBook::kTick);
  if (!unanswered_.empty())
    deadline = std::min(deadline, unanswered_.front().sent + login_.answer_timeout);
  return comeback_.state() == StoreReturn::State::kHolding
             ? std::min(deadline, now + milliseconds(8))
             : deadline;
}

}  // namespace partywall
