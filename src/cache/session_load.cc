#include <algorithm>

#include <fmt/format.h>

#include "cache/commands/command_rule.h"
#include "cache/load/long_commands.h"
#include "cache/scripts/script_policy.h"
#include "cache/session_fsm.h"

// What a tenant may cost Redis, and what becomes of requests while a script keeps it busy.
namespace partywall::cache {
namespace {

// Redis's own text names commands that are not the client's to use.
constexpr std::string_view kBusy =
    "-BUSY a script keeps the cache busy; nothing was done, try again\r\n";

constexpr Duration kFirstBusyPause = milliseconds(10);
constexpr Duration kLongestBusyPause = milliseconds(100);

bool runs_script(CommandKind kind) {
  return kind == CommandKind::kEval || kind == CommandKind::kEvalSha || kind == CommandKind::kFcall;
}

}  // namespace

// Nothing: the tenant has Redis's time left.
std::optional<SessionFsm::Next> SessionFsm::wait_for_time(Turn& turn) {
  if (load_ == nullptr) load_ = host_.loads.of(turn.tenant->id);
  const Duration wait = load_->time.wait(turn.now);
  if (wait == Duration(0)) {
    waiting_since_.reset();
    return std::nullopt;
  }
  if (!waiting_since_) waiting_since_ = turn.now;
  if (turn.now + wait <= *waiting_since_ + host_.limits.longest_wait_for_time) {
    pause_until(turn.now + wait);
    return Next::kWait;
  }
  waiting_since_.reset();
  count(CacheMeter::kOverTime);
  if (transaction_.open) transaction_.refused = true;
  std::string text;
  append_error(
      text,
      fmt::format("LIMIT the commands of tenant {} have taken more than {} ms of Redis's time in a "
                  "second (cache.redis_time); try again in {} ms",
                  turn.tenant->slug,
                  std::chrono::duration_cast<milliseconds>(turn.tenant->limits.cache_time).count(),
                  std::chrono::ceil<milliseconds>(wait).count()));
  return reply(turn, std::move(text));
}

// Nothing: the request may be sent as soon as everything else allows it. Of what may take long, and
// of all requests of a tenant that has used much of Redis's time, only so many are under way at
// once. Transactions are not held back: what has begun is ended.
std::optional<SessionFsm::Next> SessionFsm::enter_lane(const CommandRule& rule, Turn& turn) {
  if (load_ == nullptr) load_ = host_.loads.of(turn.tenant->id);
  const bool heavy = load_->time.uses_much(turn.now);
  // Whoever has not used much need not wait for time either.
  if (!heavy && !may_take_long(rule)) return std::nullopt;
  if (const auto other = wait_for_time(turn)) return other;
  if (transaction_.open) return std::nullopt;
  if (lane_place_.ready()) return std::nullopt;
  if (!lane_place_.waits()) {
    const auto upstreams = tenant_upstreams(turn);
    if (!upstreams) return refuse(turn, "ERR " + upstreams.error().message);
    const auto& lane = host_.slow_lanes.of((*upstreams)->target().route->name());
    const SlowLane::Asked asked{
        .tenant = turn.tenant->number, .weight = turn.tenant->weight, .heavy = heavy};
    switch (SlowLane::enter(lane, asked, lane_place_)) {
      case SlowLane::Entry::kReady:
        return std::nullopt;
      case SlowLane::Entry::kFull:
        return refuse(turn, "LIMIT too many commands of this tenant wait for Redis; try again");
      case SlowLane::Entry::kWaits:
        count(CacheMeter::kQueued);
        break;
    }
  }
  return Next::kWait;
}

void SessionFsm::pause_until(MonotonicTime end) { pause_until_ = end; }

void SessionFsm::continue_after_pause() {
  if (!pause_until_ || host_.time.monotonic() < *pause_until_) return;
  pause_until_.reset();
  refused_.question = false;
  if (refused_.count > 0 && refused_.count == outstanding_) send_again();
}

// A script is under way until everything that was sent with it is answered.
void SessionFsm::note_script(const CommandRule& rule, const UpstreamFsm& upstream, Turn& turn) {
  if (!runs_script(rule.kind)) return;
  if (transaction_.open) {
    transaction_.has_script = true;
    transaction_.has_own_script |= is_about_own_scripts(rule.kind);
    return;
  }
  begin_script(upstream, turn);
}

void SessionFsm::begin_script(const UpstreamFsm& upstream, Turn& turn) {
  if (script_) return;
  script_ = host_.scripts_under_way.begin({.server = upstream.server(),
                                           .tenant = turn.tenant->id,
                                           .limit = turn.tenant->limits.cache_script_time,
                                           .since = host_.time.monotonic()});
}

void SessionFsm::end_script() {
  if (script_) script_->landed();
  script_.reset();
}

// BUSY: it was not carried out. It is sent again a moment later, if nothing that was sent after it
// has been carried out: that would change the order of the client's requests. Transactions are not
// begun anew for the client.
void SessionFsm::refused_as_busy(std::string_view) {
  const bool may_wait = batch_.is_whole(answered_, outstanding_) &&
                        (!held_ || held_->hold != Hold::kUntilReleased) && !flushing_;
  if (!may_wait) {
    say(kBusy);
    return replies_arrived(1);
  }
  if (++refused_.count < outstanding_) return;
  end_script();
  if (script_kept_it_busy_for_too_long()) return give_up_busy();
  wait_for_script(refused_.count);
}

// One that the door asks before it passes on a request: that is looked at again later.
bool SessionFsm::question_is_refused_as_busy(std::string_view reply) {
  if (!reply.starts_with(kScriptKeepsBusy)) {
    refused_ = {};
    return false;
  }
  if (script_kept_it_busy_for_too_long()) {
    refused_ = {};
    quota_work_->failure = kBusy;
    return true;
  }
  count(CacheMeter::kEvicted, quota_work_->questions->evicted().keys);
  quota_work_.reset();
  forget_quota_try();
  refused_.question = true;
  wait_for_script(1);
  return true;
}

bool SessionFsm::script_kept_it_busy_for_too_long() {
  const MonotonicTime now = host_.time.monotonic();
  if (refused_.times == 0) refused_.since = now;
  return now - refused_.since >= host_.limits.longest_wait_for_script;
}

void SessionFsm::wait_for_script(uint32_t requests) {
  const Duration pause =
      std::min(kFirstBusyPause * (1 << std::min(refused_.times, 4U)), Duration(kLongestBusyPause));
  ++refused_.times;
  count(CacheMeter::kSentAgain, requests);
  pause_until(host_.time.monotonic() + pause);
  waker_.wake();
}

void SessionFsm::send_again() {
  if (!route_->usable()) return give_up_busy();
  const uint32_t requests = std::exchange(refused_.count, 0);
  refused_.again = true;
  for (const SentBatch::Sent& sent : batch_.last(requests))
    route_->send(*this, sent.request, 1, {.keys = sent.reply_keys, .transaction = nullptr});
}

void SessionFsm::give_up_busy() {
  const uint32_t requests = std::exchange(refused_, {}).count;
  for (uint32_t i = 0; i < requests; ++i) say(kBusy);
  if (requests > 0) replies_arrived(requests);
}

}  // namespace partywall::cache
