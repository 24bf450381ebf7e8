#include "fleet/process/log_rotation.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"

namespace partywall::fleet {
namespace {

namespace fs = std::filesystem;

std::string older(const std::string& path, unsigned age) { return fmt::format("{}.{}", path, age); }

}  // namespace

bool rotate_log(const std::string& path, const LogRotationSettings& settings) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (error || size <= settings.max_bytes) return false;
  for (unsigned age = settings.keep; age > 1; --age) {
    fs::rename(older(path, age - 1), older(path, age),
               error);  // one that is not there is no problem
  }
  error.clear();
  if (settings.keep > 0)
    fs::copy_file(path, older(path, 1), fs::copy_options::overwrite_existing, error);
  if (!error) fs::resize_file(path, 0, error);
  if (error) log_warning("cannot rotate a log file", {{"path", path}, {"error", error.message()}});
  return !error;
}

}  // namespace partywall::fleet
