#include "embedded/shop.h"

#include <cstdlib>
#include <filesystem>

namespace partywall::embedded {
namespace {

namespace fs = std::filesystem;

// Debian's Python has the drivers; another one first in PATH may not.
constexpr const char* kPython = "/usr/bin/python3";

bool has_shop(const fs::path& home) {
  std::error_code ignored;
  return fs::exists(home / "examples/shop/app.py", ignored) &&
         fs::exists(home / "integrations/python/partywall_asgi.py", ignored);
}

ShopFiles files_in(const fs::path& home) {
  return {.application = (home / "examples/shop").string(),
          .integration = (home / "integrations/python").string()};
}

Result<> copy_programs(const fs::path& from, const fs::path& to, const EngineUser& user) {
  std::error_code error;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != ".py") continue;
    const fs::path copy = to / entry->path().filename();
    if (!fs::copy_file(entry->path(), copy, fs::copy_options::overwrite_existing, error)) break;
    if (auto owned = user.own(copy.string()); !owned) return owned;
  }
  if (error) {
    return fail(ErrorKind::kUnavailable, "cannot copy the example application from {} to {}: {}",
                from.string(), to.string(), error.message());
  }
  return {};
}

}  // namespace

Result<ShopFiles> find_shop() {
  if (const char* given = std::getenv("PARTYWALL_HOME")) {
    if (has_shop(given)) return files_in(given);
    return fail(ErrorKind::kNotFound, "PARTYWALL_HOME is {}, but examples/shop is not there",
                given);
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path share = program.parent_path().parent_path() / "share/partywall";
  if (has_shop(share)) return files_in(share);
  for (fs::path folder = program.parent_path(); folder != folder.parent_path();
       folder = folder.parent_path()) {
    if (has_shop(folder)) return files_in(folder);
  }
  return fail(ErrorKind::kNotFound,
              "the example application (examples/shop) is neither above {} nor in {}: set "
              "PARTYWALL_HOME to the "
              "folder that has it",
              program.string(), share.string());
}

Result<ShopFiles> lend_shop(const ShopFiles& files, const DataDirectory& directory,
                            const EngineUser& user) {
  if (!user.is_other) return files;
  const auto folder = directory.make_engine_folder(std::string(kShopGroup), user);
  if (!folder) return std::unexpected(folder.error());
  for (const std::string& from : {files.application, files.integration}) {
    if (auto copied = copy_programs(from, *folder, user); !copied)
      return std::unexpected(copied.error());
  }
  return ShopFiles{.application = *folder, .integration = *folder};
}

fleet::InstanceSpec make_shop_spec(const ShopFiles& files, const ShopAccess& access,
                                   const EngineUser& user) {
  const std::string database_url =
      fmt::format("postgresql://{}:{}@{}/{}?sslmode=disable&application_name=shop", access.sql_user,
                  access.sql_password.reveal(), access.sql.to_string(), access.database);
  return {
      .version = "example",
      .command = user.command({kPython, "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port",
                               "{port}", "--no-access-log", "--log-level", "warning",
                               "--timeout-keep-alive", "120"}),
      .environment = {{"DATABASE_URL", Secret(database_url)},
                      {"REDIS_URL", Secret(fmt::format("redis://{}", access.cache.to_string()))},
                      {"PYTHONPATH", Secret(files.integration)},
                      {"PYTHONDONTWRITEBYTECODE", Secret("1")},
                      {"PYTHONUNBUFFERED", Secret("1")},
                      {"LC_ALL", Secret("C.UTF-8")}},
      .working_directory = files.application};
}

}  // namespace partywall::embedded
