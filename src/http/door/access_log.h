#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"

namespace partywall::http {

// What is known of a request when its head has been read. Views only.
struct RequestLogStart {
  WallTime time;
  std::string_view request_id;
  std::string_view client;
  std::string_view method;
  std::string_view path;  // without the query: that may hold secrets
  std::string_view protocol;
  std::string_view user_agent;
};

// And what is known when it has ended. Empty texts are left out.
struct RequestLogEnd {
  uint16_t status = 0;
  std::string_view problem;  // if the door answered itself
  std::string_view detail;
  std::string_view tenant;
  std::string_view route;
  std::string_view cell;
  std::string_view pool;
  std::string_view instance;
  uint32_t attempts = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  Duration queued{};  // part of the duration
  Duration duration{};
};

// One JSON object a request, written in two parts, because the views of the first do not last.
void begin_log_line(std::string& line, const RequestLogStart& start);
void end_log_line(std::string& line, const RequestLogEnd& end);

// Collects the lines of one worker, so that the log's lock is taken once for many requests.
class AccessLog {
 public:
  explicit AccessLog(LineLog& log) : log_(log) {}
  ~AccessLog() { flush(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void write(std::string_view line);
  // To be called a few times a second.
  void flush();

 private:
  LineLog& log_;
  std::string lines_;
};

}  // namespace partywall::http
