#include "store/directory_loader.h"

#include "store/platform_file.h"
#include "store/provided_instances.h"

namespace partywall::store {

std::optional<DirectoryLoader::Loaded> DirectoryLoader::load() {
  diagnostics_ = Diagnostics();
  auto platform = load_platform_file(name_, files_, diagnostics_);
  if (!platform) return std::nullopt;
  auto directory = build(std::move(platform->directory), 1);
  if (!directory) {
    diagnostics_.error({}, "{}", directory.error().message);
    return std::nullopt;
  }
  node_ = platform->node;
  return Loaded{.node = std::move(platform->node),
                .directory = *std::move(directory),
                .control_store = std::move(platform->control_store),
                .fleet = std::move(platform->fleet)};
}

Result<> DirectoryLoader::reload(DirectoryFeed& feed) {
  diagnostics_ = Diagnostics();
  auto platform = load_platform_file(name_, files_, diagnostics_);
  log_findings();
  if (!platform) {
    return fail(ErrorKind::kInvalid, "{} has {} errors; the directory stays as it was", name_,
                diagnostics_.errors());
  }
  if (platform->node != node_) {
    log_warning(
        "changes of node, listen and doors take effect only when the process is started again",
        {{"file", name_}});
  }
  auto updated = feed.update([&](const DirectoryRef& current) {
    keep_provided_instances(*current, platform->directory.cells);
    return build(std::move(platform->directory), current->version() + 1);
  });
  if (!updated) return updated;
  log_info("platform file reloaded", {{"file", name_}, {"version", feed.current()->version()}});
  return {};
}

Result<DirectoryRef> DirectoryLoader::build(DirectoryData data, uint64_t version) {
  data.version = version;
  numbers_.assign(data.tenants);
  return Directory::build(std::move(data));
}

void DirectoryLoader::log_findings() const {
  for (const Diagnostic& found : diagnostics_.items()) {
    const LogLevel level =
        found.severity == Severity::kError ? LogLevel::kError : LogLevel::kWarning;
    log(level, found.message,
        {{"file", name_}, {"line", found.where.line}, {"column", found.where.column}});
  }
  if (diagnostics_.left_out() > 0) {
    log_error("more findings were left out",
              {{"file", name_}, {"left_out", diagnostics_.left_out()}});
  }
}

}  // namespace partywall::store
