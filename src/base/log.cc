#include "base/log.h"

#include <fcntl.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/file_descriptor.h"
#include "base/json_writer.h"

namespace partywall {
namespace {

constexpr size_t kLineLogQueueLines = 8192;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("partywall",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == level_name(level)) return level;
  }
  return fail(ErrorKind::kInvalid, "{}: no such log level; use debug, info, warning or error",
              text);
}

void set_log_level(LogLevel level) { logger().set_level(to_spdlog(level)); }

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!logger().should_log(to_spdlog(level))) return;
  std::string line = fmt::format("\"level\":\"{}\",\"message\":", level_name(level));
  append_json_string(line, message);
  for (const LogField& field : fields) {
    line += ',';
    append_json_string(line, field.name());
    line += ':';
    if (field.quoted()) {
      append_json_string(line, field.text());
    } else {
      line += field.text();
    }
  }
  logger().log(to_spdlog(level), line);
}

struct LineLog::Impl {
  std::shared_ptr<spdlog::async_logger> logger;
  // Destroyed first: its thread has written what was waiting and has ended before the logger goes.
  std::shared_ptr<spdlog::details::thread_pool> pool;
};

LineLog::LineLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineLog::LineLog(LineLog&&) noexcept = default;
LineLog& LineLog::operator=(LineLog&&) noexcept = default;
LineLog::~LineLog() = default;

Result<LineLog> LineLog::open(const std::string& path) {
  if (path.empty()) return LineLog(nullptr);
  spdlog::sink_ptr sink;
  try {
    if (path == "-") {
      sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
    } else {
      // Tenants, clients and paths are not for everybody on the machine.
      const FileDescriptor made(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    }
  } catch (const spdlog::spdlog_ex& error) {
    return fail(ErrorKind::kUnavailable, "{}: the log cannot be opened: {}", path, error.what());
  }
  auto impl = std::make_unique<Impl>();
  impl->pool = std::make_shared<spdlog::details::thread_pool>(kLineLogQueueLines, 1);
  impl->logger = std::make_shared<spdlog::async_logger>(
      "lines", std::move(sink), impl->pool, spdlog::async_overflow_policy::overrun_oldest);
  impl->logger->set_pattern("%v");
  // Otherwise the last lines before a quiet hour would stay in the stream's buffer for an hour.
  impl->logger->flush_on(spdlog::level::info);
  return LineLog(std::move(impl));
}

void LineLog::write(std::string_view line) {
  if (impl_) impl_->logger->log(spdlog::level::info, line);
}

uint64_t LineLog::dropped() const { return impl_ ? impl_->pool->overrun_counter() : 0; }

}  // namespace partywall
