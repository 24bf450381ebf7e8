#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/yaml_map.h"
#include "store/file_loader.h"

// Keys of the platform file whose value is the path of a file.
namespace partywall::store {

struct FilePath {
  std::string path;
};

enum class Need { kOptional, kRequired };

struct NamedFile {
  std::string path;     // such that the process can open it
  std::string content;  // without a line end at its end
  bool readable_by_others = false;
  bool writable_by_others = false;
};

// The file that `key` names; nothing where the key is absent or the file cannot be had, which was
// reported then.
std::optional<NamedFile> read_file_key(YamlMap& map, FileLoader& files, std::string_view key,
                                       Need need, std::string_view help);

// The same, of a file in PEM form.
std::optional<NamedFile> read_pem_file(YamlMap& map, FileLoader& files, std::string_view key,
                                       Need need, std::string_view help);

// For files that hold a secret: warns where anybody but the owner may read or write it.
void warn_if_exposed(YamlMap& map, std::string_view key, const NamedFile& file);

// A password: one line of 1 to 1,024 printable ASCII characters.
void read_password_file(YamlMap& map, FileLoader& files, std::string_view key, Secret& into,
                        std::string_view help, Need need = Need::kRequired);

// A key of `bytes` random bytes, written as hexadecimal digits (openssl rand -hex).
void read_key_file(YamlMap& map, FileLoader& files, std::string_view key, size_t bytes,
                   Secret& into, std::string_view help);

}  // namespace partywall::store

template <>
struct partywall::ConfigValue<partywall::store::FilePath> {
  static constexpr std::string_view kKind = "file";
  static Result<store::FilePath> parse(const YamlNode& node) {
    auto path = ConfigValue<std::string>::parse(node);
    if (!path) return std::unexpected(path.error());
    return store::FilePath{*std::move(path)};
  }
  static std::string print(const store::FilePath& value) { return value.path; }
};
