#include "embedded/engine_user.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <pwd.h>
#include <unistd.h>

#include "embedded/run_command.h"

namespace partywall::embedded {
namespace {

constexpr const char* kSetpriv = "/usr/bin/setpriv";

bool look_up(const char* name, EngineUser& user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) != 0 || !found) return false;
  user = {.name = name, .uid = entry.pw_uid, .gid = entry.pw_gid, .is_other = true};
  return true;
}

// The first of them that there is, if we are root.
Result<EngineUser> choose_of(std::initializer_list<const char*> names) {
  EngineUser user{.uid = ::geteuid(), .gid = ::getegid()};
  if (user.uid != 0) return user;
  if (::access(kSetpriv, X_OK) != 0) {
    return fail(
        ErrorKind::kUnavailable,
        "PostgreSQL refuses to run as root, and {} is not there to become another user: run "
        "partywall as a normal user, or install util-linux",
        kSetpriv);
  }
  for (const char* name : names) {
    if (look_up(name, user)) return user;
  }
  return fail(
      ErrorKind::kUnavailable,
      "PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody' to run "
      "it: run partywall as a normal user");
}

}  // namespace

Result<EngineUser> EngineUser::choose() { return choose_of({"postgres", "nobody"}); }

Result<EngineUser> EngineUser::choose_for_application() {
  return choose_of({"nobody", "postgres"});
}

std::vector<std::string> EngineUser::command(std::vector<std::string> words) const {
  if (!is_other) return words;
  std::vector<std::string> all = {kSetpriv,
                                  fmt::format("--reuid={}", uid),
                                  fmt::format("--regid={}", gid),
                                  "--clear-groups",
                                  "--inh-caps=-all",
                                  "--no-new-privs",
                                  "--"};
  all.insert(all.end(), std::make_move_iterator(words.begin()),
             std::make_move_iterator(words.end()));
  return all;
}

Result<> EngineUser::own(const std::string& path) const {
  if (!is_other || ::chown(path.c_str(), uid, gid) == 0) return {};
  return fail(ErrorKind::kUnavailable, "cannot give {} to user {}: {}", path, name,
              std::strerror(errno));
}

bool EngineUser::can_enter(const std::string& folder) const {
  if (!is_other) return ::access(folder.c_str(), X_OK) == 0;
  return run_command({.command = command({"/usr/bin/test", "-x", folder})}, seconds(10))
      .has_value();
}

}  // namespace partywall::embedded
