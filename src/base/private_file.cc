#include "base/private_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace partywall {
namespace {

std::unexpected<Error> fail_with_errno(std::string_view doing, const std::string& path) {
  const int error = errno;
  const auto kind = error == ENOENT   ? ErrorKind::kNotFound
                    : error == EACCES ? ErrorKind::kDenied
                                      : ErrorKind::kUnavailable;
  return fail(kind, "cannot {} {}: {}", doing, path, std::strerror(error));
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Result<> write_private_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".new";
  {
    ::unlink(temporary.c_str());  // left by a crash, perhaps with another mode
    const FileDescriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) return fail_with_errno("create", temporary);
    if (!write_all(file.number(), content) || ::fsync(file.number()) != 0)
      return fail_with_errno("write", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_with_errno("replace", path);
  return {};
}

Result<std::string> read_private_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_with_errno("read", path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

Result<> make_private_directory(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error)
    return fail(ErrorKind::kUnavailable, "cannot create {}: {}", parent.string(), error.message());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_with_errno("create", path);
  return {};
}

}  // namespace partywall
