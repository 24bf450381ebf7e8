#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace partywall::embedded {

// As whom PostgreSQL, Redis and the application run: as we do, unless we are root. PostgreSQL
// refuses to run as root, the others need not.
struct EngineUser {
  std::string name{};
  uid_t uid = 0;
  gid_t gid = 0;
  bool is_other = false;  // not the user that we are

  // Ourselves; for root the user postgres, or nobody where there is none.
  static Result<EngineUser> choose();
  // The same for the application, which must not read the engines' files either: for root the user
  // nobody, or postgres where there is none.
  static Result<EngineUser> choose_for_application();

  // The command, run by that user.
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> words) const;
  // Gives a file or folder to the user.
  [[nodiscard]] Result<> own(const std::string& path) const;
  // May the user enter this folder?
  [[nodiscard]] bool can_enter(const std::string& folder) const;
};

}  // namespace partywall::embedded
