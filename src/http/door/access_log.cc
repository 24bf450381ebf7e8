#include "http/door/access_log.h"

#include <algorithm>

#include <fmt/chrono.h>

#include "base/decimal.h"
#include "base/json_writer.h"

namespace partywall::http {
namespace {

constexpr size_t kFlushBytes = 8 * 1024;

void append_text(std::string& line, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  line += key;
  append_json_string(line, value);
}

void append_count(std::string& line, std::string_view key, uint64_t count) {
  line += key;
  append_decimal(line, count);
}

void append_milliseconds(std::string& line, std::string_view key, Duration duration) {
  const auto micros =
      std::max<int64_t>(std::chrono::duration_cast<microseconds>(duration).count(), 0);
  append_count(line, key, static_cast<uint64_t>(micros / 1000));
  line += '.';
  append_thousandths(line, static_cast<uint32_t>(micros % 1000));
}

// "2026-01-31T12:00:00.123Z": the date is formatted once a second.
void append_time(std::string& line, WallTime time) {
  struct Second {
    std::chrono::sys_seconds second{std::chrono::seconds(-1)};
    std::string text;
  };
  thread_local Second cached;
  const auto second = std::chrono::floor<seconds>(time);
  if (second != cached.second) {
    cached.second = second;
    cached.text = fmt::format("{:%FT%T}", fmt::gmtime(second.time_since_epoch().count()));
  }
  line += cached.text;
  line += '.';
  append_thousandths(line, static_cast<uint32_t>((time - second).count()));
  line += 'Z';
}

}  // namespace

void begin_log_line(std::string& line, const RequestLogStart& start) {
  line += "{\"time\":\"";
  append_time(line, start.time);
  line += '"';
  append_text(line, ",\"request_id\":", start.request_id);
  append_text(line, ",\"client\":", start.client);
  append_text(line, ",\"method\":", start.method);
  append_text(line, ",\"path\":", start.path);
  append_text(line, ",\"protocol\":", start.protocol);
  append_text(line, ",\"user_agent\":", start.user_agent);
}

void end_log_line(std::string& line, const RequestLogEnd& end) {
  append_text(line, ",\"tenant\":", end.tenant);
  append_text(line, ",\"route\":", end.route);
  append_text(line, ",\"cell\":", end.cell);
  append_text(line, ",\"pool\":", end.pool);
  append_text(line, ",\"instance\":", end.instance);
  append_text(line, ",\"problem\":", end.problem);
  append_text(line, ",\"detail\":", end.detail);
  append_count(line, ",\"status\":", end.status);
  append_count(line, ",\"attempts\":", end.attempts);
  append_count(line, ",\"received_bytes\":", end.received_bytes);
  append_count(line, ",\"sent_bytes\":", end.sent_bytes);
  if (end.queued > Duration(0)) append_milliseconds(line, ",\"queue_ms\":", end.queued);
  append_milliseconds(line, ",\"duration_ms\":", end.duration);
  line += '}';
}

void AccessLog::write(std::string_view line) {
  if (!lines_.empty()) lines_ += '\n';
  lines_ += line;
  if (lines_.size() >= kFlushBytes) flush();
}

void AccessLog::flush() {
  if (lines_.empty()) return;
  log_.write(lines_);
  lines_.clear();
}

}  // namespace partywall::http
