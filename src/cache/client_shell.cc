#include "base/log.h"
#include "cache/door_worker.h"
#include "cache/event_waker.h"
#include "net/timer.h"

// Moves the bytes between a client and its session.
namespace partywall::cache {
namespace {

// What a connection is given a limited time for.
enum class Patience { kUnlimited, kLogin, kIdle, kReading, kLinger };

Patience patience_with(const SessionFsm& session, bool output_waits) {
  if (output_waits) return Patience::kReading;
  if (session.input_has_ended()) return Patience::kLinger;
  if (session.busy()) return Patience::kUnlimited;
  return session.logged_in() ? Patience::kIdle : Patience::kLogin;
}

Duration limit_of(Patience patience, const DoorSettings& settings) {
  switch (patience) {
    case Patience::kLogin:
      return settings.login_timeout;
    case Patience::kIdle:
      return settings.idle_timeout;
    case Patience::kReading:
      return settings.slow_reader_timeout;
    default:
      return settings.linger_timeout;
  }
}

// The deadline of a connection: it starts anew whenever the patience becomes another one.
class PatienceTimer {
 public:
  PatienceTimer(net::Loop& loop, net::Event& event, const DoorSettings& settings)
      : loop_(loop), timer_(loop.timers(), event), settings_(settings) {}

  void set(Patience patience, bool progress) {
    if (patience == current_ && !progress) return;
    current_ = patience;
    if (patience == Patience::kUnlimited) {
      timer_.disarm();
    } else {
      timer_.arm(loop_.now() + limit_of(patience, settings_));
    }
  }
  [[nodiscard]] bool over() const { return timer_.fired(); }

 private:
  net::Loop& loop_;
  net::Timer timer_;
  const DoorSettings& settings_;
  Patience current_ = Patience::kUnlimited;
};

// One read a turn, so that everybody gets theirs. False when the connection is broken.
bool read_input(net::Loop& loop, net::Stream& stream, SessionFsm& session) {
  if (!session.wants_input() || stream.awaits_input()) return true;
  const std::span<char> buffer = loop.scratch();
  const net::IoResult result = stream.read(buffer);
  switch (result.status) {
    case net::IoStatus::kOk:
      session.receive({buffer.data(), result.bytes});
      return true;
    case net::IoStatus::kEnd:
      session.input_ended();
      return true;
    case net::IoStatus::kWouldBlock:
      return true;
    case net::IoStatus::kError:
      break;
  }
  return false;
}

struct Written {
  bool broken = false;
  bool progress = false;
};

Written write_output(net::Stream& stream, SessionFsm& session) {
  Written written;
  while (!session.output().empty()) {
    const net::IoResult result = stream.write(session.output());
    written.broken = result.closed();
    if (!result.ok()) break;
    session.sent(result.bytes);
    written.progress = true;
  }
  return written;
}

// Registers a session for as long as it lives.
class SessionEntry {
 public:
  SessionEntry(std::unordered_set<SessionFsm*>& sessions, std::atomic<uint32_t>& count,
               SessionFsm& session)
      : sessions_(sessions), count_(count), session_(session) {
    sessions_.insert(&session_);
    count_.store(static_cast<uint32_t>(sessions_.size()), std::memory_order_relaxed);
  }
  ~SessionEntry() {
    sessions_.erase(&session_);
    count_.store(static_cast<uint32_t>(sessions_.size()), std::memory_order_relaxed);
  }
  SessionEntry(const SessionEntry&) = delete;
  SessionEntry& operator=(const SessionEntry&) = delete;

 private:
  std::unordered_set<SessionFsm*>& sessions_;
  std::atomic<uint32_t>& count_;
  SessionFsm& session_;
};

}  // namespace

net::Task<> DoorWorker::serve_client(std::unique_ptr<net::Stream> stream) {
  if (tls_ != nullptr) {
    auto encrypted = co_await tls_->handshake(loop_, std::move(stream), settings_.login_timeout);
    if (!encrypted) co_return;
    stream = std::move(*encrypted);
  }
  net::Event wake(loop_);
  EventWaker waker(wake);
  PatienceTimer patience(loop_, wake, settings_);
  net::Timer pause(loop_.timers(), wake);
  const net::Drain::Watch watch(drain_, wake);
  SessionFsm session(host_, waker, next_session_id(), stream->peer().endpoint.to_string());
  const SessionEntry entry(sessions_, connections_, session);
  while (!drain_.must_close() && !patience.over()) {
    if (drain_.requested()) session.drain();
    session.resume();
    const bool broken = !read_input(loop_, *stream, session);
    const Written written = write_output(*stream, session);
    const bool output_waits = !session.output().empty();
    if (broken || written.broken || (session.finished() && !output_waits)) break;
    if (output_waits) stream->arm_write(wake);
    if (session.wants_input()) stream->arm_read(wake);
    patience.set(patience_with(session, output_waits), written.progress);
    if (const auto end = session.pause_end()) pause.arm(*end);
    co_await wake.wait();
  }
}

}  // namespace partywall::cache
