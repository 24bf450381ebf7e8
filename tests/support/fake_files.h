#pragma once

#include <map>
#include <string>
#include <string_view>

#include "store/file_loader.h"

namespace partywall::store {

// Files in memory, by the path as it is written.
class FakeFiles final : public FileLoader {
 public:
  std::map<std::string, LoadedFile, std::less<>> files;

  void add(std::string path, std::string content) {
    files[std::move(path)].content = std::move(content);
  }

  Result<LoadedFile> load(std::string_view path) override {
    const auto found = files.find(path);
    if (found == files.end()) {
      return fail(ErrorKind::kNotFound, "cannot read {}: No such file or directory", path);
    }
    return found->second;
  }
  [[nodiscard]] std::string resolve(std::string_view path) const override {
    return path.starts_with('/') ? std::string(path) : "/etc/partywall/" + std::string(path);
  }
};

}  // namespace partywall::store
