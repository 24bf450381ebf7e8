#include "store/file_keys.h"

#include <algorithm>

#include "base/hex.h"

namespace partywall::store {
namespace {

constexpr size_t kMaxPasswordLength = 1024;

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

void remove_line_end(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

std::optional<NamedFile> read_file_key(YamlMap& map, FileLoader& files, std::string_view key,
                                       Need need, std::string_view help) {
  FilePath file;
  const bool given =
      need == Need::kRequired ? map.required(key, file, help) : map.optional(key, file, help);
  if (!given) return std::nullopt;
  auto loaded = files.load(file.path);
  if (!loaded) {
    map.error(key, "'{}': {}", key, loaded.error().message);
    return std::nullopt;
  }
  remove_line_end(loaded->content);
  return NamedFile{.path = files.resolve(file.path),
                   .content = std::move(loaded->content),
                   .readable_by_others = loaded->readable_by_others,
                   .writable_by_others = loaded->writable_by_others};
}

std::optional<NamedFile> read_pem_file(YamlMap& map, FileLoader& files, std::string_view key,
                                       Need need, std::string_view help) {
  auto file = read_file_key(map, files, key, need, help);
  if (file && !file->content.contains("-----BEGIN ")) {
    map.error(key, "'{}': the file is not in PEM form (-----BEGIN …)", key);
  }
  return file;
}

void warn_if_exposed(YamlMap& map, std::string_view key, const NamedFile& file) {
  if (file.readable_by_others) {
    map.warning(key, "'{}': every user of this machine may read {}; chmod 600 it", key, file.path);
  }
  if (file.writable_by_others) {
    map.warning(key, "'{}': others than its owner may write to {}; chmod 600 it", key, file.path);
  }
}

void read_password_file(YamlMap& map, FileLoader& files, std::string_view key, Secret& into,
                        std::string_view help, Need need) {
  auto file = read_file_key(map, files, key, need, help);
  if (!file) return;
  warn_if_exposed(map, key, *file);
  std::string& password = file->content;
  if (password.empty() || password.size() > kMaxPasswordLength ||
      !std::ranges::all_of(password, is_printable)) {
    return map.error(key, "'{}': the file must hold one line of 1 to {} printable ASCII characters",
                     key, kMaxPasswordLength);
  }
  into = Secret(std::move(password));
}

void read_key_file(YamlMap& map, FileLoader& files, std::string_view key, size_t bytes,
                   Secret& into, std::string_view help) {
  const auto file = read_file_key(map, files, key, Need::kRequired, help);
  if (!file) return;
  warn_if_exposed(map, key, *file);
  auto decoded = decode_hex(file->content);
  if (!decoded || decoded->size() != bytes) {
    return map.error(key,
                     "'{}': the file must hold {} hexadecimal digits ({} bytes); make one with: "
                     "openssl rand -hex {}",
                     key, bytes * 2, bytes, bytes);
  }
  into = Secret(*std::move(decoded));
}

}  // namespace partywall::store
