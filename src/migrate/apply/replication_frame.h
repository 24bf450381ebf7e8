#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "migrate/apply/lsn.h"

// What one CopyData of a replication stream holds.
// https://www.postgresql.org/docs/15/protocol-replication.html
namespace partywall::migrate {

// Microseconds since 2000-01-01 00:00 UTC, by the server's clock.
struct ServerTime {
  int64_t microseconds = 0;

  constexpr auto operator<=>(const ServerTime&) const = default;
};

[[nodiscard]] ServerTime to_server_time(std::chrono::sys_time<microseconds> time);
// "2026-03-01 12:00:00.000000+00", as PostgreSQL reads it.
[[nodiscard]] std::string to_timestamp_text(ServerTime time);

struct XLogData {
  Lsn start;  // of the data; 0 for what has no place of its own
  Lsn end;    // of the server's log now
  ServerTime sent_at;
  std::string_view payload;  // points into the frame
};

struct Keepalive {
  Lsn end;  // the server has looked at everything before it
  ServerTime sent_at;
  bool wants_reply = false;
};

using ReplicationFrame = std::variant<XLogData, Keepalive>;

[[nodiscard]] Result<ReplicationFrame> decode_replication_frame(std::string_view frame);

enum class ReplyWish : uint8_t { kNone, kAtOnce };

struct StandbyStatus {
  Lsn received;
  Lsn flushed;  // the server may forget everything before it
  Lsn applied;
  ServerTime now;
  ReplyWish reply = ReplyWish::kNone;
};

[[nodiscard]] std::string encode_standby_status(const StandbyStatus& status);

}  // namespace partywall::migrate
