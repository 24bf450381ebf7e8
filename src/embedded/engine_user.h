#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace partywall::embedded {

// As whom PostgreSQL and Redis run: as we do, unless we are root. PostgreSQL refuses to run as
// root, and Redis need not.
struct EngineUser {
  std::string name{};
  uid_t uid = 0;
  gid_t gid = 0;
  bool is_other = false;  // not the user that we are

  // Ourselves; for root the user postgres, or nobody where there is none.
  static Result<EngineUser> choose();

  // The command, run by that user.
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> words) const;
  // Gives a file or folder to the user.
  [[nodiscard]] Result<> own(const std::string& path) const;
  // May the user enter this folder?
  [[nodiscard]] bool can_enter(const std::string& folder) const;
};

}  // namespace partywall::embedded
