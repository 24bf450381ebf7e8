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

// What the fuzz seeds of the platform file name.
inline FakeFiles fuzz_seed_files() {
  FakeFiles files;
  files.add("a.key", std::string(64, 'a'));
  files.add("r.key", std::string(128, 'b'));
  files.add("p", "password");
  files.add(
      "v",
      "SCRAM-SHA-256$4096:TBApaX7jWHFdOhSirdgXxA==$csHGrufVGToPlcM2BNF5ASvwv/h6JdhgGETbmSN0GL4=:"
      "Kh1GZ7ezEYJD/4M3fgkI7eRbQbBdvB+B5xN1V/TQpS8=");
  files.add("j", R"({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": "1",
                                "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                                "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]})");
  files.add("c.pem", "-----BEGIN CERTIFICATE-----");
  return files;
}

}  // namespace partywall::store
