#include "cli/check.h"

#include <iterator>

#include "base/json_writer.h"
#include "cli/exit_code.h"
#include "fleet/loop/read_fleet.h"
#include "store/platform_file.h"

namespace partywall::cli {
namespace {

std::string count(size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string print_text(const std::string& path, const Diagnostics& found,
                       const std::optional<store::PlatformFile>& platform) {
  std::string out;
  for (const Diagnostic& one : found.items()) out += to_string(one, path) + "\n";
  if (found.left_out() > 0) out += fmt::format("{}: {} more left out\n", path, found.left_out());
  out += fmt::format("{}: ", path);
  if (platform) {
    const DirectoryData& data = platform->directory;
    out += fmt::format("valid: {}, {}, {}", count(data.tenants.size(), "tenant"),
                       count(data.cells.size(), "cell"), count(data.tiers.size(), "tier"));
    if (found.warnings() > 0) out += fmt::format("; {}", count(found.warnings(), "warning"));
  } else {
    out +=
        fmt::format("{}, {}", count(found.errors(), "error"), count(found.warnings(), "warning"));
  }
  return out + "\n";
}

std::string print_json(const std::string& path, const Diagnostics& found, bool valid) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("file").value(path).key("valid").value(valid);
  json.key("errors")
      .value(uint64_t{found.errors()})
      .key("warnings")
      .value(uint64_t{found.warnings()});
  json.key("left_out").value(uint64_t{found.left_out()}).key("diagnostics").begin_array();
  for (const Diagnostic& one : found.items()) {
    json.begin_object().key("severity").value(to_string(one.severity));
    json.key("line").value(one.where.line).key("column").value(one.where.column);
    json.key("message").value(one.message).end_object();
  }
  json.end_array().end_object();
  return out + "\n";
}

}  // namespace

CheckReport check_platform_file(const std::string& path, CheckFormat format) {
  store::DiskFileLoader files = store::DiskFileLoader::beside(path);
  Diagnostics found;
  auto platform = store::load_platform_file(store::file_name_of(path), files, found);
  if (platform && platform->fleet) {
    const std::vector<Cell>* cells = platform->control_store ? nullptr : &platform->directory.cells;
    if (!fleet::read_fleet(*platform->fleet, cells, files, found)) platform.reset();
  }
  const bool valid = platform.has_value();
  return {.text = format == CheckFormat::kText ? print_text(path, found, platform)
                                               : print_json(path, found, valid),
          .exit_code = valid ? kExitSuccess : kExitFailure};
}

}  // namespace partywall::cli
