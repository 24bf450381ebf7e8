#include "embedded/run_command.h"

#include <csignal>
#include <fstream>
#include <iterator>

namespace partywall::embedded {

Result<> run_command(const fleet::SpawnRequest& request, Duration patience) {
  auto process = fleet::ChildProcess::spawn(request);
  if (!process) return std::unexpected(process.error());
  const bool in_time = process->wait(patience);
  const std::string end =
      in_time ? process->reap() : fleet::stop_process(*process, SIGTERM, seconds(5));
  if (in_time && end == "exit status 0") return {};
  const std::string what =
      in_time ? end : fmt::format("not done after {} s, stopped", patience / seconds(1));
  return fail(ErrorKind::kUnavailable, "{}: {}{}", request.command.front(), what,
              last_lines(request.output_file));
}

std::string last_lines(const std::string& path) {
  constexpr size_t kMostBytes = 1500;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.empty()) return {};
  if (text.size() > kMostBytes) {
    const size_t line = text.find('\n', text.size() - kMostBytes);
    text.erase(0, line == std::string::npos ? text.size() - kMostBytes : line + 1);
  }
  return fmt::format("; the end of {}:\n{}", path, text);
}

}  // namespace partywall::embedded
