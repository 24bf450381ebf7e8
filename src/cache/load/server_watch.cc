#include "cache/load/server_watch.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "cache/load/server_setup.h"
#include "cache/resp/resp_writer.h"
#include "cache/tenant_user.h"

namespace partywall::cache {
namespace {

constexpr std::string_view kCollect =
    "collectgarbage() collectgarbage() return collectgarbage('count')";

// In the answer to INFO memory; nothing where it does not say.
std::optional<uint64_t> lua_bytes_in(std::string_view info) {
  constexpr std::string_view kName = "\nused_memory_vm_eval:";
  const size_t begin = info.find(kName);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string_view rest = info.substr(begin + kName.size());
  const auto bytes = parse_unsigned(rest.substr(0, rest.find_first_of("\r\n")));
  return bytes ? std::optional(*bytes) : std::nullopt;
}

std::string mebibytes_text(uint64_t bytes) { return std::to_string(bytes >> 20); }

std::string milliseconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(duration).count());
}

}  // namespace

ServerWatch::ServerWatch(Endpoint server, std::shared_ptr<const CacheRoute> route,
                         UpstreamNetwork& network, const TimeSource& time, ScriptFlights& flights,
                         ServerWatchSink& sink, const ServerWatchTimes& times)
    : server_(std::move(server)),
      route_(std::move(route)),
      network_(network),
      time_(time),
      flights_(flights),
      sink_(sink),
      times_(times),
      backoff_(times.backoff),
      slow_log_(time.wall()) {}

ServerWatch::~ServerWatch() {
  if (const auto connection = std::exchange(connection_, nullptr)) connection->close();
}

void ServerWatch::tick() {
  const MonotonicTime now = time_.monotonic();
  if (connection_ == nullptr) {
    if (backoff_.may_try(now)) open(now);
    return;
  }
  if (!asked_.empty()) return note_silence(now);
  if (!busy() && now - memory_asked_at_ >= times_.memory_interval) return ask_about_memory(now);
  if (now - asked_at_ >= (busy() ? times_.busy_interval : times_.interval)) ask_about_time(now);
}

void ServerWatch::open(MonotonicTime now) {
  opened_at_ = asked_at_ = memory_asked_at_ = now;
  may_not_collect_ = false;
  asked_ = {Asked::kLogin};
  const Secret password = watch_password(route_->backend().tenant_password);
  connection_ = std::make_shared<QuestionConnection>(
      make_request({"AUTH", kWatchUser, password.reveal()}), *this);
  // May say at once that it cannot.
  const auto connection = connection_;
  network_.open(connection, server_, route_->backend().tls);
}

void ServerWatch::ask_about_time(MonotonicTime now) {
  asked_at_ = now;
  asked_.push_back(Asked::kSlowLog);
  connection_->ask(slow_log_.question());
}

void ServerWatch::ask_about_memory(MonotonicTime now) {
  memory_asked_at_ = now;
  if (may_not_collect_) return;
  asked_at_ = now;
  asked_.push_back(Asked::kMemory);
  connection_->ask(make_request({"INFO", "memory"}));
}

// One long command keeps Redis from answering anybody.
void ServerWatch::note_silence(MonotonicTime now) {
  const Duration silent = now - asked_at_;
  if (silent >= times_.silence) return drop(now);
  if (silent < times_.silence_logged || silence_logged_) return;
  silence_logged_ = true;
  log_warning(
      "a Redis answers nothing; one long command, or a script within one long operation, "
      "keeps it busy, and it cannot be asked to end that",
      {{"route", route_->name()},
       {"server", server_.to_string()},
       {"silent_ms", milliseconds_text(silent)}});
}

void ServerWatch::drop(MonotonicTime now) {
  if (const auto connection = std::exchange(connection_, nullptr)) connection->close();
  asked_.clear();
  busy_since_.reset();
  backoff_.failed(now);
}

void ServerWatch::question_lost() {
  connection_ = nullptr;
  asked_.clear();
  busy_since_.reset();
  backoff_.failed(opened_at_);
}

void ServerWatch::answered(const ReplyTree& reply) {
  if (asked_.empty()) return drop(time_.monotonic());
  const Asked what = asked_.front();
  asked_.pop_front();
  switch (what) {
    case Asked::kLogin:
      return login_answered(reply);
    case Asked::kSlowLog:
      return slow_log_answered(reply);
    case Asked::kMemory:
      return memory_answered(reply);
    case Asked::kCollect:
      return collected(reply);
    case Asked::kScriptKill:
    case Asked::kFunctionKill:
      return kill_answered(reply);
  }
}

void ServerWatch::login_answered(const ReplyTree& reply) {
  if (!reply.is_error()) {
    backoff_.succeeded();
    refused_logged_ = false;
    return;
  }
  if (!std::exchange(refused_logged_, true)) {
    log_warning(
        "a Redis does not let the cache door watch it: what tenants cost it is not known, "
        "and scripts that run too long are not ended",
        {{"route", route_->name()},
         {"server", server_.to_string()},
         {"reason", reply.text},
         {"next", "run `partywall cache provision`"}});
  }
  drop(opened_at_);
}

void ServerWatch::slow_log_answered(const ReplyTree& reply) {
  const MonotonicTime now = time_.monotonic();
  silence_logged_ = false;
  if (reply.is_error() && reply.text.starts_with("BUSY")) return server_is_busy(now);
  if (reply.is_error()) return drop(now);
  busy_since_.reset();
  goes_on_told_ = false;
  flights_.server_is_idle(server_);
  const auto uses = slow_log_.take(reply);
  if (!uses) return slow_log_.wants_more() ? ask_about_time(now) : drop(now);
  for (const TimeUse& use : *uses) sink_.time_used(use);
}

// Scripts that Redis keeps are in there too: what was left after the last collection is taken for
// them, so that many of them are not collected for all the time.
void ServerWatch::memory_answered(const ReplyTree& reply) {
  const MonotonicTime now = time_.monotonic();
  silence_logged_ = false;
  if (reply.is_error() && reply.text.starts_with("BUSY")) return server_is_busy(now);
  if (reply.is_error()) return may_not_collect(reply);
  lua_bytes_ = lua_bytes_in(reply.text).value_or(0);
  lua_bytes_in_use_ = std::min(lua_bytes_in_use_, lua_bytes_);
  // It came in between: scripts that run too long must not run longer because of it.
  if (lua_bytes_ - lua_bytes_in_use_ <= kLuaGarbageKept) return ask_about_time(now);
  asked_at_ = now;
  asked_.push_back(Asked::kCollect);
  connection_->ask(make_request({"EVAL", kCollect, "0"}));
}

void ServerWatch::collected(const ReplyTree& reply) {
  silence_logged_ = false;
  if (reply.is_error() && reply.text.starts_with("BUSY")) return server_is_busy(time_.monotonic());
  if (reply.is_error()) return may_not_collect(reply);
  // In KiB, as Lua counts.
  lua_bytes_in_use_ = static_cast<uint64_t>(std::max<int64_t>(reply.number, 0)) << 10;
  log_info("what scripts had left behind in a Redis was collected",
           {{"route", route_->name()},
            {"server", server_.to_string()},
            {"before_mib", mebibytes_text(lua_bytes_)},
            {"after_mib", mebibytes_text(lua_bytes_in_use_)}});
}

void ServerWatch::may_not_collect(const ReplyTree& reply) {
  may_not_collect_ = true;
  log_warning("a Redis does not let the cache door collect what scripts leave behind",
              {{"route", route_->name()},
               {"server", server_.to_string()},
               {"reason", reply.text},
               {"next", "run `partywall cache provision`"}});
}

// What was at the server before and is still not answered is what runs: all others have been told
// BUSY. Where that is not clear (an answer is on its way) the longest limit counts, so that nobody
// is cut short for somebody else's sake.
void ServerWatch::server_is_busy(MonotonicTime now) {
  if (!busy_since_) {
    busy_since_ = now;
    return;
  }
  const Duration ran = kBusyReplyThreshold + (now - *busy_since_);
  ending_ = flights_.at(server_, *busy_since_);
  Duration limit{};
  for (const ScriptFlight& flight : ending_) limit = std::max(limit, flight.limit);
  if (ending_.empty()) limit = sink_.longest_script(*route_) + times_.patience_with_others;
  if (ran < limit) return;
  asked_.insert(asked_.end(), {Asked::kScriptKill, Asked::kFunctionKill});
  connection_->ask(make_request({"SCRIPT", "KILL"}) + make_request({"FUNCTION", "KILL"}));
}

// The one of the two that was about the wrong kind says BUSY, or that nothing runs (any more).
void ServerWatch::kill_answered(const ReplyTree& reply) {
  const bool ended = !reply.is_error();
  const bool goes_on = reply.is_error() && reply.text.starts_with("UNKILLABLE");
  if (!ended && (!goes_on || std::exchange(goes_on_told_, true))) return;
  // Whose it was is certain only where there was one.
  const bool known = ending_.size() == 1;
  const std::string tenant = known ? ending_.front().tenant.value().to_string() : "";
  if (ended) {
    log_warning("a script that ran too long was ended",
                {{"route", route_->name()}, {"server", server_.to_string()}, {"tenant", tenant}});
    if (known) sink_.script_ended(ending_.front().tenant);
  } else {
    log_error("a script runs too long and cannot be ended, because it has written",
              {{"route", route_->name()},
               {"server", server_.to_string()},
               {"tenant", tenant},
               {"next", "wait for it; or SHUTDOWN NOSAVE, which loses what was not saved"}});
    if (known) sink_.script_goes_on(ending_.front().tenant);
  }
  ending_.clear();
}

}  // namespace partywall::cache
