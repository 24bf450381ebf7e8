#include "embedded/redis.h"

#include <filesystem>

#include "base/crypto.h"
#include "base/hex.h"
#include "base/private_file.h"
#include "fleet/process/free_port.h"

namespace partywall::embedded {
namespace {

constexpr const char* kAdministrator = "partywall";
constexpr const char* kProgram = "/usr/bin/redis-server";
// `maxmemory` does not count what scripts build in Lua. Where a script asks for more than this it
// gets "not enough memory"; without it Redis would take all that the machine has. Far above what
// the keys and the buffers of its clients need.
constexpr const char* kLimit = "--as=2147483648";

Result<> write_for(const EngineUser& user, const std::string& path, const std::string& content) {
  if (auto written = write_private_file(path, content); !written) return written;
  return user.own(path);
}

// Only we can log in until the platform has made the users of the door and of the tenants; those
// are saved into the same file, so that they outlive a restart of Redis.
Result<> write_first_users(const EngineHost& host, const std::string& path,
                           const Secret& password) {
  if (std::filesystem::exists(path)) return {};
  return write_for(host.user, path,
                   fmt::format("user default off\nuser {} on #{} ~* &* +@all\n", kAdministrator,
                               to_hex(as_bytes(sha256(password.reveal())))));
}

std::string make_configuration(const std::string& folder, const std::string& users) {
  return fmt::format(
      "bind 127.0.0.1\n"
      "protected-mode yes\n"
      "databases {}\n"
      "dir \"{}\"\n"
      "aclfile \"{}\"\n"
      "appendonly yes\n"
      "maxmemory 512mb\n"
      "maxmemory-policy noeviction\n"
      "enable-debug-command no\n"
      "enable-module-command no\n"
      "always-show-logo no\n",
      kRedisDatabases, folder, users);
}

}  // namespace

Result<RedisServer> run_redis(const EngineHost& host) {
  const auto folder = host.directory.make_engine_folder("redis", host.user);
  if (!folder) return std::unexpected(folder.error());
  auto password = host.secrets.password("redis-administrator");
  if (!password) return std::unexpected(password.error());
  const std::string users = *folder + "/users.acl";
  const std::string configuration = *folder + "/redis.conf";
  if (auto written = write_first_users(host, users, *password); !written)
    return std::unexpected(written.error());
  if (auto written = write_for(host.user, configuration, make_configuration(*folder, users));
      !written) {
    return std::unexpected(written.error());
  }
  const fleet::GroupName group{std::string(kRedisGroup)};
  const auto port = engine_port(host.provider, group);
  if (!port) return std::unexpected(port.error());
  const fleet::InstanceSpec spec{.version = "7",
                                 .command = host.user.command({"/usr/bin/prlimit", kLimit, kProgram,
                                                               configuration, "--port", "{port}"}),
                                 .environment = {{"LC_ALL", Secret("C.UTF-8")}},
                                 .working_directory = "/",
                                 .port = *port};
  const auto answers = [&port] { return !fleet::is_free_loopback_port(*port); };
  if (auto running = run_engine(host, group, spec, answers); !running)
    return std::unexpected(running.error());
  return RedisServer{.endpoint = {"127.0.0.1", *port},
                     .administrator = kAdministrator,
                     .password = *std::move(password)};
}

}  // namespace partywall::embedded
