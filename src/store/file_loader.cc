#include "store/file_loader.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace partywall::store {
namespace {

constexpr size_t kMaxFileSize = 16 << 20;

std::unexpected<Error> fail_with_errno(std::string_view path) {
  const int code = errno;
  return fail(code == ENOENT ? ErrorKind::kNotFound : ErrorKind::kUnavailable, "cannot read {}: {}",
              path, std::generic_category().message(code));
}

Result<std::string> read_all(int descriptor, std::string_view path) {
  std::string content;
  std::string chunk(64 << 10, '\0');
  while (true) {
    const ssize_t count = ::read(descriptor, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_with_errno(path);
    if (count == 0) return content;
    content.append(chunk, 0, static_cast<size_t>(count));
    if (content.size() > kMaxFileSize) {
      return fail(ErrorKind::kLimit, "cannot read {}: it has more than {} bytes", path,
                  kMaxFileSize);
    }
  }
}

}  // namespace

std::string file_name_of(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

DiskFileLoader DiskFileLoader::beside(std::string_view file) {
  const size_t slash = file.rfind('/');
  if (slash == file.npos) return DiskFileLoader("");
  return DiskFileLoader(std::string(file.substr(0, std::max<size_t>(slash, 1))));
}

Result<LoadedFile> DiskFileLoader::load(std::string_view path) {
  const std::string resolved = resolve(path);
  // Non-blocking, so that a FIFO in place of a file cannot hold us up.
  const FileDescriptor file(::open(resolved.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file.valid() || ::fstat(file.number(), &status) != 0) return fail_with_errno(resolved);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::kInvalid, "cannot read {}: it is not a regular file", resolved);
  auto content = read_all(file.number(), resolved);
  if (!content) return std::unexpected(content.error());
  return LoadedFile{.content = *std::move(content),
                    .readable_by_others = (status.st_mode & S_IROTH) != 0,
                    .writable_by_others = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0};
}

std::string DiskFileLoader::resolve(std::string_view path) const {
  if (path.starts_with('/') || folder_.empty()) return std::string(path);
  return fmt::format("{}/{}", folder_, path);
}

}  // namespace partywall::store
