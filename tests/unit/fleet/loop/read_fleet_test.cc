#include "fleet/loop/read_fleet.h"

#include <cstdlib>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

namespace partywall::fleet {
namespace {

class Files final : public store::FileLoader {
 public:
  Result<store::LoadedFile> load(std::string_view path) override {
    const auto found = files.find(path);
    if (found == files.end()) return fail(ErrorKind::kNotFound, "no file {}", path);
    return store::LoadedFile{.content = found->second};
  }
  [[nodiscard]] std::string resolve(std::string_view path) const override {
    return fmt::format("/srv/{}", path);
  }
  std::map<std::string, std::string, std::less<>> files;
};

class ReadFleetTest : public testing::Test {
 protected:
  ReadFleetTest() {
    cells.push_back({.name = "main",
                     .pools = {{.name = "web", .is_provided = true},
                               {.name = "static", .instances = {{.id = "a"}}}}});
  }

  std::optional<FleetSettings> read(std::string_view text) {
    diagnostics = Diagnostics();
    const auto node = parse_yaml(text, diagnostics);
    EXPECT_TRUE(node);
    return read_fleet(*node, &cells, files, diagnostics);
  }
  std::string complaint() {
    return diagnostics.items().empty() ? "" : to_string(diagnostics.items().front(), "p.yaml");
  }

  Files files;
  std::vector<Cell> cells;
  Diagnostics diagnostics;
};

TEST_F(ReadFleetTest, ReadsAPool) {
  files.files["web.env"] = "# secrets\nDATABASE_URL=postgresql://x?a=b\n\nEMPTY=\n";
  const auto fleet = read(R"(
directory: var/fleet
pools:
  - cell: main
    pool: web
    version: v7
    command: [/usr/bin/python3, app.py, --port, "{port}"]
    working_directory: app
    environment: [LOG_LEVEL=info, "EMPTY=x"]
    environment_file: web.env
    drain_timeout: 5s
    max_memory: 512MiB
    healing: {most_at_once: 2}
    scaling: {min: 3, max: 9}
)");
  ASSERT_TRUE(fleet) << complaint();
  EXPECT_EQ(fleet->directory, "/srv/var/fleet");
  ASSERT_EQ(fleet->pools.size(), 1U);
  const FleetPool& pool = fleet->pools.front();
  EXPECT_EQ(pool.group.value(), "main-web");
  EXPECT_EQ(pool.spec.version, "v7");
  EXPECT_EQ(pool.spec.command.back(), "{port}");
  EXPECT_EQ(pool.spec.working_directory, "/srv/app");
  EXPECT_EQ(pool.spec.environment.at("LOG_LEVEL").reveal(), "info");
  EXPECT_EQ(pool.spec.environment.at("DATABASE_URL").reveal(), "postgresql://x?a=b");
  EXPECT_EQ(pool.spec.environment.at("EMPTY").reveal(), "") << "the file has the last word";
  EXPECT_EQ(pool.keeping.drain_timeout, seconds(5));
  EXPECT_EQ(pool.keeping.max_memory_bytes, uint64_t{512} << 20);
  EXPECT_EQ(pool.keeping.healing.most_at_once, 2U);
  EXPECT_EQ(pool.keeping.scaling.bounds.min, 3U);
  EXPECT_TRUE(pool.keeping.scaling.offered_load);
}

TEST_F(ReadFleetTest, SaysWhatIsWrongAndWhere) {
  files.files["web.env"] = "GOOD=1\nsecret value without a name\n";
  const std::map<std::string, std::string> cases = {
      {"pools:\n  - {cell: nowhere, pool: web, command: [a]}\n",
       "p.yaml:2:12: error: there is no cell 'nowhere'"},
      {"pools:\n  - {cell: main, pool: wbe, command: [a]}\n",
       "p.yaml:2:24: error: cell 'main' has no pool 'wbe'"},
      {"pools:\n  - {cell: main, pool: static, command: [a]}\n", "has `instances` of its own"},
      {"pools:\n  - {cell: main, pool: web}\n", "'command' is missing"},
      {"pools:\n  - {cell: main, pool: web, command: [a], stop_signal: KILL}\n",
       "SIGKILL is not among"},
      {"pools:\n  - {cell: main, pool: web, command: [a], environment: [lonely]}\n", "NAME=value"},
      {"pools:\n  - {cell: main, pool: web, command: [a], environment_file: web.env}\n", "line 2:"},
      {"pools:\n  - {cell: main, pool: web, command: [a], scaling: {min: 9, max: 3}}\n",
       "more than 'max'"},
      {"pools:\n  - {cell: main, pool: web, command: [a], max_memory: 1KiB}\n", "below 1MiB"},
      {"pools:\n  - {cell: main, pool: web, command: [a]}\n  - {cell: main, pool: web, command: "
       "[a]}\n",
       "already"},
      {"pool: []\n", "did you mean 'pools'"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_FALSE(read(text)) << text;
    EXPECT_NE(complaint().find(expected), std::string::npos) << text << complaint();
    EXPECT_EQ(complaint().find("secret"), std::string::npos) << "values may be secrets";
  }
}

TEST_F(ReadFleetTest, PoolsOfAControlStoreAreNotLookedUpHere) {
  const auto node = parse_yaml("pools:\n  - {cell: far, pool: web, command: [a]}\n", diagnostics);
  EXPECT_TRUE(read_fleet(*node, nullptr, files, diagnostics)) << complaint();
}

// docs/fleet.md holds, between two marks, the table of all keys. After a change that is meant:
// PARTYWALL_UPDATE_GOLDEN=1 unit_fleet.
TEST(FleetReference, HasEveryKeyAsTheCodeReadsIt) {
  constexpr std::string_view kBegin = "<!-- keys: written by unit_fleet, do not edit -->\n";
  constexpr std::string_view kEnd = "<!-- end of keys -->\n";
  const std::string path = std::string(PARTYWALL_SOURCE_DIR) + "/docs/fleet.md";
  std::ifstream file(path);
  std::string document{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const size_t begin = document.find(kBegin);
  const size_t end = document.find(kEnd);
  ASSERT_NE(begin, document.npos);
  ASSERT_NE(end, document.npos);
  std::string table = "\n| key | kind | default | bounds | meaning |\n|---|---|---|---|---|\n";
  const auto code = [](const std::string& text) {
    return text.empty() ? text : fmt::format("`{}`", text);
  };
  for (const KeyDescription& key : describe_fleet()) {
    EXPECT_GE(key.help.size(), 6U) << key.path;
    table +=
        fmt::format("| {} | {} | {} | {} | {} |\n", code(key.path), key.kind,
                    key.required ? "**required**" : code(key.default_text), key.bounds, key.help);
  }
  table += "\n";
  const size_t first = begin + kBegin.size();
  if (std::getenv("PARTYWALL_UPDATE_GOLDEN")) {
    document.replace(first, end - first, table);
    std::ofstream(path) << document;
  } else {
    EXPECT_EQ(document.substr(first, end - first), table);
  }
}

}  // namespace
}  // namespace partywall::fleet
