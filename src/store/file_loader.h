#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace partywall::store {

struct LoadedFile {
  std::string content;
  bool readable_by_others = false;  // by users that are neither the owner nor in the group
  bool writable_by_others = false;  // by anybody but the owner
};

// Where the files that a platform file names come from; tests have them in memory.
class FileLoader {
 public:
  virtual ~FileLoader() = default;
  // `path` as written in the platform file.
  virtual Result<LoadedFile> load(std::string_view path) = 0;
  // What the rest of the process can open: relative paths count from the platform file's folder.
  [[nodiscard]] virtual std::string resolve(std::string_view path) const = 0;
};

// Has none: for describing what could be read.
class NoFiles final : public FileLoader {
 public:
  Result<LoadedFile> load(std::string_view path) override {
    return fail(ErrorKind::kNotFound, "no file {}", path);
  }
  [[nodiscard]] std::string resolve(std::string_view path) const override {
    return std::string(path);
  }
};

// Reads regular files, at most 16 MiB each.
class DiskFileLoader final : public FileLoader {
 public:
  // Relative paths count from `folder`.
  explicit DiskFileLoader(std::string folder) : folder_(std::move(folder)) {}
  // Relative paths count from the folder that `file` is in.
  static DiskFileLoader beside(std::string_view file);
  Result<LoadedFile> load(std::string_view path) override;
  [[nodiscard]] std::string resolve(std::string_view path) const override;

 private:
  std::string folder_;
};

// What DiskFileLoader::beside(path) knows that file as: its name without folders.
[[nodiscard]] std::string file_name_of(std::string_view path);

}  // namespace partywall::store
