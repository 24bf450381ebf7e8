#pragma once

#include <string>

#include "base/file_descriptor.h"
#include "base/random.h"
#include "base/result.h"
#include "embedded/engine_user.h"

namespace partywall::embedded {

// The folder in which an embedded stack keeps all it has:
//
//   platform.yaml       the platform file, written at each start
//   run.json            ports, tokens and process ids of the stack that runs, for tests and tools
//   lock                held as long as it runs: one stack for a folder
//   secrets/            one file each, generated at the first start
//   fleet/              records and output of all processes
//   engines/            the data of PostgreSQL and Redis, unless their user cannot come here
//   engines-elsewhere   then: where they are instead
class DataDirectory {
 public:
  // Makes the folder if it is not there and takes the lock. kLimit: another stack has it.
  static Result<DataDirectory> open(const std::string& path, const EngineUser& user,
                                    Random& random);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const {
    return fmt::format("{}/{}", path_, name);
  }
  [[nodiscard]] const std::string& engines() const { return engines_; }
  [[nodiscard]] bool engines_are_elsewhere() const { return !engines_.starts_with(path_); }

  // A folder for one engine, owned by its user and closed to others.
  [[nodiscard]] Result<std::string> make_engine_folder(const std::string& name,
                                                       const EngineUser& user) const;

 private:
  Result<> choose_engine_folder(const EngineUser& user, Random& random);

  std::string path_;  // absolute
  std::string engines_;
  FileDescriptor lock_;
};

}  // namespace partywall::embedded
