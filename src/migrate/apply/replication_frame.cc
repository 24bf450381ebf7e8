#include "migrate/apply/replication_frame.h"

#include <fmt/chrono.h>

#include "migrate/apply/big_endian.h"

namespace partywall::migrate {
namespace {

constexpr std::chrono::sys_days kPostgresEpoch{std::chrono::year{2000} / 1 / 1};

}  // namespace

ServerTime to_server_time(std::chrono::sys_time<microseconds> time) {
  return {(time - kPostgresEpoch).count()};
}

std::string to_timestamp_text(ServerTime time) {
  const std::chrono::sys_time<microseconds> at = kPostgresEpoch + microseconds(time.microseconds);
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}+00", fmt::gmtime(whole.time_since_epoch().count()),
                     (at - whole).count());
}

Result<ReplicationFrame> decode_replication_frame(std::string_view frame) {
  sql::FieldReader reader(frame);
  const uint8_t kind = reader.u8();
  if (kind == 'w') {
    XLogData data;
    data.start = {read_u64(reader)};
    data.end = {read_u64(reader)};
    data.sent_at = {static_cast<int64_t>(read_u64(reader))};
    data.payload = reader.rest();
    if (!reader.ok())
      return fail(ErrorKind::kInvalid, "the source sent a piece of its log that is cut short");
    return data;
  }
  if (kind == 'k') {
    Keepalive keepalive;
    keepalive.end = {read_u64(reader)};
    keepalive.sent_at = {static_cast<int64_t>(read_u64(reader))};
    keepalive.wants_reply = reader.u8() != 0;
    if (!reader.ok_and_at_end())
      return fail(ErrorKind::kInvalid, "the source sent a keepalive of a wrong length");
    return keepalive;
  }
  return fail(ErrorKind::kInvalid,
              "the source sent a replication message of the unknown kind {}; is it PostgreSQL?",
              kind);
}

std::string encode_standby_status(const StandbyStatus& status) {
  std::string out = "r";
  append_u64(out, status.received.value);
  append_u64(out, status.flushed.value);
  append_u64(out, status.applied.value);
  append_u64(out, static_cast<uint64_t>(status.now.microseconds));
  out.push_back(status.reply == ReplyWish::kAtOnce ? '\1' : '\0');
  return out;
}

}  // namespace partywall::migrate
