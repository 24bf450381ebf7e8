#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/backoff.h"
#include "base/endpoint.h"
#include "base/time.h"
#include "cache/cache_route.h"
#include "cache/load/script_flights.h"
#include "cache/load/slow_log_reader.h"
#include "cache/question_connection.h"
#include "cache/upstream_network.h"

namespace partywall::cache {

// What a watch finds out about its server.
class ServerWatchSink {
 public:
  virtual ~ServerWatchSink() = default;
  // The tenant's command took so much of the server's time.
  virtual void time_used(const TimeUse& use) = 0;
  // The tenant's script was ended because it ran too long.
  virtual void script_ended(TenantId tenant) = 0;
  // It cannot be ended, because it has written. Told once.
  virtual void script_goes_on(TenantId tenant) = 0;
  // The longest time that any script may run there.
  [[nodiscard]] virtual Duration longest_script(const CacheRoute& route) = 0;
};

struct ServerWatchTimes {
  Duration interval = milliseconds(100);
  Duration busy_interval = milliseconds(10);  // while a script keeps the server busy
  // The script is another node's: that one is to end it, and has so much more time for it.
  Duration patience_with_others = milliseconds(500);
  Duration memory_interval = seconds(1);
  // A server that says nothing for so long is connected to anew.
  Duration silence = seconds(30);
  Duration silence_logged = seconds(1);
  BackoffSettings backoff{.first = milliseconds(200), .longest = seconds(5)};
};

// More than this that scripts have left behind is collected.
inline constexpr uint64_t kLuaGarbageKept = 64ULL << 20;

// Watches one Redis as `partywall-watch`: reads from its slow log what each tenant's commands have
// cost, and ends a script that keeps it busy for longer than its tenant may. Redis answers BUSY
// from kBusyReplyThreshold of a script on, and nothing at all before.
//
// What a script has built in Lua stays when it ends, or is ended, until the collector has gone
// through it, which in Redis it does as slowly as scripts are run. So the watch looks how much
// there is, and has it collected.
class ServerWatch final : public QuestionSink {
 public:
  // All references must outlive it.
  ServerWatch(Endpoint server, std::shared_ptr<const CacheRoute> route, UpstreamNetwork& network,
              const TimeSource& time, ScriptFlights& flights, ServerWatchSink& sink,
              const ServerWatchTimes& times = {});
  ~ServerWatch() override;
  ServerWatch(const ServerWatch&) = delete;
  ServerWatch& operator=(const ServerWatch&) = delete;

  // To be called every busy_interval.
  void tick();
  // A script keeps it busy.
  [[nodiscard]] bool busy() const { return busy_since_.has_value(); }
  [[nodiscard]] const Endpoint& server() const { return server_; }
  [[nodiscard]] const CacheRoute& route() const { return *route_; }

 private:
  enum class Asked : uint8_t { kLogin, kSlowLog, kMemory, kCollect, kScriptKill, kFunctionKill };

  void answered(const ReplyTree& reply) override;
  void question_lost() override;
  void open(MonotonicTime now);
  void ask_about_time(MonotonicTime now);
  void login_answered(const ReplyTree& reply);
  void slow_log_answered(const ReplyTree& reply);
  void ask_about_memory(MonotonicTime now);
  void memory_answered(const ReplyTree& reply);
  void collected(const ReplyTree& reply);
  void may_not_collect(const ReplyTree& reply);
  void server_is_busy(MonotonicTime now);
  void kill_answered(const ReplyTree& reply);
  void note_silence(MonotonicTime now);
  void drop(MonotonicTime now);

  Endpoint server_;
  std::shared_ptr<const CacheRoute> route_;
  UpstreamNetwork& network_;
  const TimeSource& time_;
  ScriptFlights& flights_;
  ServerWatchSink& sink_;
  ServerWatchTimes times_;
  std::shared_ptr<QuestionConnection> connection_;
  std::deque<Asked> asked_;
  MonotonicTime opened_at_{};
  MonotonicTime asked_at_{};
  Backoff backoff_;
  SlowLogReader slow_log_;
  std::optional<MonotonicTime> busy_since_;  // when it said so first
  std::vector<ScriptFlight> ending_;         // which of them is being ended
  MonotonicTime memory_asked_at_{};
  uint64_t lua_bytes_ = 0;         // that the interpreter has
  uint64_t lua_bytes_in_use_ = 0;  // of these after the last collection, mostly scripts
  bool may_not_collect_ = false;
  bool refused_logged_ = false;
  bool silence_logged_ = false;
  bool goes_on_told_ = false;
};

}  // namespace partywall::cache
