#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/time.h"
#include "net/task.h"

namespace partywall::net {

class Event;
class Loop;

enum class IoStatus {
  kOk,
  kWouldBlock,  // nothing now; arm and wait
  kEnd,         // read: the peer has sent its last byte
  kError,       // the connection is broken, or was closed here
};

struct IoResult {
  IoStatus status = IoStatus::kOk;
  size_t bytes = 0;

  [[nodiscard]] bool ok() const { return status == IoStatus::kOk; }
  [[nodiscard]] bool would_block() const { return status == IoStatus::kWouldBlock; }
  [[nodiscard]] bool closed() const {
    return status == IoStatus::kEnd || status == IoStatus::kError;
  }
};

// Who is at the other end, as far as the transport knows.
struct Peer {
  Endpoint endpoint;                // of a unix socket: the path listened at
  bool encrypted = false;           // TLS
  std::string certificate_subject;  // verified client certificate, RFC 2253 form; empty: none
};

// A byte stream: TCP, unix socket, TLS, or in memory. It never blocks and is never awaited itself:
// try, and where that would block, arm an event and await the event. Destroying closes.
class Stream {
 public:
  virtual ~Stream() = default;

  // Never more than into.size(); a shorter answer usually means that there is no more now.
  virtual IoResult read(std::span<char> into) = 0;
  // May take only the first part of the bytes.
  virtual IoResult write(std::string_view bytes) = 0;

  // Sets the event once when the direction may have become ready, has failed, or is closed. Arming
  // again before that only replaces the event; it may also be set without a reason.
  virtual void arm_read(Event& event) = 0;
  virtual void arm_write(Event& event) = 0;
  // True while an event armed for reading has not been set: a read now would say kWouldBlock. It
  // saves that system call to sessions that are woken for other reasons.
  [[nodiscard]] virtual bool awaits_input() const { return false; }
  // Forgets the events: for a stream that is handed from one session to another.
  virtual void disarm() = 0;
  // From its loop's thread to another's: leave() on the old one, join() on the new one, nothing in
  // between. Events are forgotten.
  virtual void leave() = 0;
  virtual void join(Loop& loop) = 0;

  // The peer will read the end after what was written; reading goes on.
  virtual void shutdown_write() = 0;
  // Both directions at once, what is still unsent is lost. Idempotent.
  virtual void close() = 0;

  [[nodiscard]] virtual const Peer& peer() const = 0;
};

// The common waits. Each ends with kTimeout when `timeout` passes without progress, kClosed at the
// end of the stream or on a broken connection.
Task<Result<size_t>> read_some(Loop& loop, Stream& stream, std::span<char> into, Duration timeout);
// `bytes` must stay until the coroutine completes.
Task<Result<>> write_all(Loop& loop, Stream& stream, std::string_view bytes, Duration timeout);

}  // namespace partywall::net
