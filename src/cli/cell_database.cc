#include "cli/cell_database.h"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

namespace partywall::cli {
namespace {

// A value of a libpq connection string.
std::string quoted_value(std::string_view value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text += '\'';
}

}  // namespace

std::optional<store::PlatformFile> load_platform_file(const std::string& path) {
  const std::filesystem::path file(path);
  store::DiskFileLoader files(file.parent_path().string());
  const auto text = store::DiskFileLoader("").load(path);
  if (!text) {
    fmt::print(stderr, "{}\n", text.error().message);
    return std::nullopt;
  }
  Diagnostics diagnostics;
  auto platform = store::read_platform_file(text->content, files, diagnostics);
  for (const Diagnostic& one : diagnostics.items())
    fmt::print(stderr, "{}\n", to_string(one, path));
  return platform;
}

Result<Cell> find_cell(const std::vector<Cell>& cells, const std::string& name) {
  std::vector<Cell> with_database;
  for (const Cell& cell : cells) {
    if (cell.name == name) return cell;
    if (!cell.sql.database.empty()) with_database.push_back(cell);
  }
  if (!name.empty())
    return fail(ErrorKind::kNotFound, "the platform file has no cell \"{}\"", name);
  if (with_database.size() == 1) return with_database.front();
  return fail(ErrorKind::kInvalid,
              "the platform file has {} cells with a database: say which one with --cell",
              with_database.size());
}

std::string connection_string(const std::string& database, const Endpoint& endpoint) {
  const bool is_complete = database.find('=') != std::string::npos ||
                           database.starts_with("postgres://") ||
                           database.starts_with("postgresql://");
  if (is_complete) return database;
  std::string text = "dbname=" + quoted_value(database);
  if (endpoint.address.empty() || endpoint.is_unix()) return text;
  return text + fmt::format(" host={} port={}", quoted_value(endpoint.address), endpoint.port);
}

}  // namespace partywall::cli
