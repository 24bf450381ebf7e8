#include "embedded/data_directory.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/private_file.h"

namespace partywall::embedded {
namespace {

// Others may pass through, and see nothing: what is theirs to enter lies deeper.
constexpr mode_t kPassThrough = 0711;
constexpr const char* kElsewhere = "/var/lib/partywall";

Result<> set_mode(const std::string& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) == 0) return {};
  return fail(ErrorKind::kUnavailable, "cannot change the mode of {}: {}", path,
              std::strerror(errno));
}

Result<> make_passage(const std::string& path) {
  if (auto made = make_private_directory(path); !made) return made;
  return set_mode(path, kPassThrough);
}

// The name is random and kept in the data folder: whoever deletes that folder and starts anew gets
// new engines, not those whose passwords are gone.
Result<std::string> find_or_choose_elsewhere(const std::string& record, Random& random) {
  constexpr size_t kNameLength = 16;
  auto found = read_private_file(record);
  if (found || found.error().kind != ErrorKind::kNotFound) return found;
  std::string chosen = fmt::format("{}/{}", kElsewhere, random.alphanumeric(kNameLength));
  if (auto written = write_private_file(record, chosen); !written)
    return std::unexpected(written.error());
  return chosen;
}

Result<FileDescriptor> take_lock(const std::string& path) {
  FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.valid())
    return fail(ErrorKind::kUnavailable, "cannot open {}: {}", path, std::strerror(errno));
  if (::flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
    std::string holder = read_private_file(path).value_or("");
    if (holder.empty()) holder = "(that has just begun)";
    return fail(ErrorKind::kLimit,
                "{} is in use by process {}: stop that one, or give this one another --data-dir",
                std::filesystem::path(path).parent_path().string(), holder);
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(lock.number(), 0) != 0 ||
      ::pwrite(lock.number(), pid.data(), pid.size(), 0) < 0) {
    return fail(ErrorKind::kUnavailable, "cannot write {}: {}", path, std::strerror(errno));
  }
  return lock;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path, const EngineUser& user,
                                          Random& random) {
  DataDirectory directory;
  std::error_code error;
  if (auto made = make_private_directory(path); !made) return std::unexpected(made.error());
  directory.path_ = std::filesystem::canonical(path, error).string();
  if (error) return fail(ErrorKind::kUnavailable, "{}: {}", path, error.message());
  auto lock = take_lock(directory.file("lock"));
  if (!lock) return std::unexpected(lock.error());
  directory.lock_ = *std::move(lock);
  if (auto chosen = directory.choose_engine_folder(user, random); !chosen)
    return std::unexpected(chosen.error());
  return directory;
}

Result<> DataDirectory::choose_engine_folder(const EngineUser& user, Random& random) {
  engines_ = file("engines");
  if (!user.is_other) return make_private_directory(engines_);
  if (auto set = set_mode(path_, kPassThrough); !set) return set;
  if (!user.can_enter(path_)) {
    auto elsewhere = find_or_choose_elsewhere(file("engines-elsewhere"), random);
    if (!elsewhere) return std::unexpected(elsewhere.error());
    engines_ = *std::move(elsewhere);
    if (auto made = make_passage(kElsewhere); !made) return made;
  }
  return make_passage(engines_);
}

Result<std::string> DataDirectory::make_engine_folder(const std::string& name,
                                                      const EngineUser& user) const {
  std::string folder = fmt::format("{}/{}", engines_, name);
  if (auto made = make_private_directory(folder); !made) return std::unexpected(made.error());
  if (auto owned = user.own(folder); !owned) return std::unexpected(owned.error());
  return folder;
}

}  // namespace partywall::embedded
