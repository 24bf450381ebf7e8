#include <algorithm>

#include "identity/scram.h"
#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr uint32_t kVersion = 1;

}  // namespace

bool read_endpoint(YamlMap& map, Endpoint& endpoint, uint16_t least_port, Need need) {
  constexpr std::string_view kAddressHelp =
      "numeric IP address, or the absolute path of a unix socket";
  const bool has_address = need == Need::kRequired
                               ? map.required("address", endpoint.address, kAddressHelp)
                               : map.optional("address", endpoint.address, kAddressHelp);
  std::optional<uint16_t> port;
  const bool has_port = map.optional(
      "port", port, {least_port, 65535},
      least_port == 0 ? "TCP port (required with an IP address); 0: a free one is chosen"
                      : "TCP port (required with an IP address)");
  endpoint.port = port.value_or(0);
  if (!has_address) return false;
  const bool is_unix = endpoint.is_unix();
  if (auto valid = is_unix ? check_unix_path(endpoint.address) : check_ip_address(endpoint.address);
      !valid) {
    map.error("address", "'address': {}", valid.error().message);
    return false;
  }
  if (is_unix && map.has("port"))
    map.error("port", "'port' makes no sense for a unix socket; remove it");
  if (!is_unix) map.require("port");
  return is_unix ? !map.has("port") : has_port;
}

void read_verifier(YamlMap& map, FileLoader& files, std::string& verifier) {
  const bool inline_given =
      map.optional("verifier", verifier,
                   "SCRAM-SHA-256 verifier of the password, as PostgreSQL stores it; it is as "
                   "good as a password to whoever also overhears a login");
  const auto file = read_file_key(map, files, "verifier_file", Need::kOptional,
                                  "file that holds the verifier instead");
  if (map.describes()) return;
  if (file) warn_if_exposed(map, "verifier_file", *file);
  if (map.has("verifier") == map.has("verifier_file")) {
    return map.error(map.has("verifier") ? "verifier_file" : "",
                     "exactly one of 'verifier' and 'verifier_file' is needed{}",
                     map.path().empty() ? "" : " in " + map.path());
  }
  if (file) verifier = file->content;
  if (!inline_given && !file) return;  // reported
  if (auto parsed = ScramVerifier::parse(verifier); !parsed) {
    map.error(file ? "verifier_file" : "verifier", "{}", parsed.error().message);
  }
}

void read_version(YamlMap& file) {
  uint32_t version = kVersion;
  if (file.optional("version", version, "version of this format") && version != kVersion) {
    file.error("version", "'version' is {}, but this release reads version {}", version, kVersion);
  }
}

void check_identifier(YamlMap& map, std::string_view key, std::string_view name, size_t most) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool starts_right = !name.empty() && !(name.front() >= '0' && name.front() <= '9');
  if (starts_right && name.size() <= most && std::ranges::all_of(name, is_allowed)) return;
  map.error(key,
            "'{}' is '{}', but it must be 1 to {} of a-z, 0-9 and '_', not starting with a digit",
            key, name, most);
}

}  // namespace partywall::store
