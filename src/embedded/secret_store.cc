#include "embedded/secret_store.h"

#include <algorithm>
#include <vector>

#include "base/hex.h"
#include "base/private_file.h"

namespace partywall::embedded {
namespace {

constexpr size_t kPasswordLength = 32;

std::string make_password(Random& random, size_t length) { return random.alphanumeric(length); }

std::string make_hex(Random& random, size_t digits) {
  std::vector<uint8_t> bytes(digits / 2);
  random.fill(bytes);
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return hex_value(c) >= 0; });
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(hex_value(digits[i]) * 16 + hex_value(digits[i + 1]));
  }
  return bytes;
}

}  // namespace

Result<Secret> SecretStore::password(std::string_view name) {
  return read_or_make(name, kPasswordLength, make_password);
}

Result<Secret> SecretStore::key(std::string_view name, size_t bytes) {
  auto digits = read_or_make(name, bytes * 2, make_hex);
  if (!digits) return digits;
  if (!is_hex(digits->reveal()))
    return fail(ErrorKind::kInvalid, "{}: not a key in hexadecimal digits", path(name));
  return Secret(from_hex(digits->reveal()));
}

Result<Secret> SecretStore::read_or_make(std::string_view name, size_t length,
                                         std::string (*make)(Random&, size_t)) {
  auto found = read_private_file(path(name));
  if (found) {
    if (found->ends_with('\n')) found->pop_back();
    if (found->size() == length) return Secret(*std::move(found));
    return fail(ErrorKind::kInvalid,
                "{}: {} characters, but it was made with {}; restore it, or start anew with "
                "another data folder",
                path(name), found->size(), length);
  }
  if (found.error().kind != ErrorKind::kNotFound) return std::unexpected(found.error());
  if (auto folder = make_private_directory(folder_); !folder)
    return std::unexpected(folder.error());
  std::string made = make(random_, length);
  if (auto written = write_private_file(path(name), made + "\n"); !written)
    return std::unexpected(written.error());
  return Secret(std::move(made));
}

}  // namespace partywall::embedded
