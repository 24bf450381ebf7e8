#include "fleet/loop/read_fleet.h"

#include <algorithm>

#include "fleet/loop/environment_file.h"
#include "store/file_keys.h"

namespace partywall::fleet {
namespace {

constexpr uint64_t kLeastMemory = 1 << 20;

void read_environment(YamlMap& map, store::FileLoader& files,
                      std::map<std::string, Secret>& environment) {
  std::vector<std::string> assignments;
  map.values("environment", assignments, "NAME=value; nothing else but PATH and PORT is inherited");
  for (const std::string& assignment : assignments) {
    auto variable = parse_assignment(assignment);
    if (!variable) {
      map.error("environment", "'environment': {}", variable.error().message);
      continue;
    }
    environment.insert_or_assign(variable->first, variable->second);
  }
  const auto file = store::read_file_key(map, files, "environment_file", store::Need::kOptional,
                                         "file with more of them, a line each: for secrets");
  if (!file) return;
  store::warn_if_exposed(map, "environment_file", *file);
  const auto variables = parse_environment_file(file->content);
  if (!variables) {
    map.error("environment_file", "{}: {}", file->path, variables.error().message);
    return;
  }
  for (const auto& [name, value] : *variables) environment.insert_or_assign(name, value);
}

void read_spec(YamlMap& map, store::FileLoader& files, InstanceSpec& spec) {
  map.optional("version", spec.version, "what runs, for people: a tag, a commit");
  map.values("command", spec.command,
             "program and arguments; {port} is the port that it is to listen at, on 127.0.0.1");
  map.require("command");
  store::FilePath directory;
  if (map.optional("working_directory", directory, "where it is started; absent: where we are")) {
    spec.working_directory = files.resolve(directory.path);
  }
  read_environment(map, files, spec.environment);
  map.optional("stop_signal", spec.stop_signal, "what asks it to end: TERM, INT or QUIT");
  if (map.describes() || spec.command.empty()) return;
  if (auto valid = check_spec(spec, 1); !valid) map.error("command", "{}", valid.error().message);
}

void read_healing(YamlMap& map, HealingSettings& healing) {
  map.optional("most_at_once", healing.most_at_once, {1, 1'000},
               "instances that are replaced at the same time");
  map.optional("most_share", healing.most_share, {0.0, 1.0},
               "or this share of the pool, whichever is more");
  map.optional("brake_share", healing.brake_share, {0.01, 1.0},
               "with so many of the pool unhealthy nothing is replaced: somebody must look");
  map.optional("brake_least", healing.brake_least, {1, 1'000},
               "but not for fewer unhealthy ones than this");
}

void read_keeping(YamlMap& map, PoolKeeping& keeping) {
  map.optional("boot_timeout", keeping.boot_timeout, {seconds(1), hours(1)},
               "until a new instance must have been healthy once");
  map.optional("drain_timeout", keeping.drain_timeout, {Duration::zero(), hours(1)},
               "for the requests of an instance that is to go");
  map.optional("decision_interval", keeping.decision_interval, {seconds(1), minutes(5)},
               "between two decisions on the number of instances");
  std::optional<ByteSize> memory;
  if (map.optional("max_memory", memory,
                   "of an instance with its children; above it is replaced") &&
      memory) {
    keeping.max_memory_bytes = memory->bytes;
    if (memory->bytes < kLeastMemory) map.error("max_memory", "'max_memory' is below 1MiB");
  }
  map.section("healing", "how unhealthy instances are replaced",
              [&](YamlMap& healing) { read_healing(healing, keeping.healing); });
  map.section("scaling", "how many instances there are; docs: the policies of this page",
              [&](YamlMap& scaling) {
                keeping.scaling = PoolScaling();
                read_pool_scaling(scaling, keeping.scaling);
              });
}

// The pool must be there, and have no instances of its own.
void check_place(YamlMap& map, const FleetPool& pool, const std::vector<Cell>& cells) {
  const auto cell = std::ranges::find(cells, pool.cell, &Cell::name);
  if (cell == cells.end()) {
    map.error("cell", "there is no cell '{}'", pool.cell);
    return;
  }
  const Pool* found = cell->find_pool(pool.pool);
  if (!found) {
    map.error("pool", "cell '{}' has no pool '{}'", pool.cell, pool.pool);
  } else if (!found->is_provided) {
    map.error("pool",
              "pool '{}' of cell '{}' has `instances` of its own: remove them there, or this here",
              pool.pool, pool.cell);
  }
}

void read_pool(YamlMap& map, const std::vector<Cell>* cells, store::FileLoader& files,
               FleetSettings& fleet) {
  FleetPool pool;
  const bool has_cell = map.required("cell", pool.cell, "cell of the pool");
  const bool has_pool = map.required("pool", pool.pool, "a pool without `instances`");
  if (has_cell && has_pool && cells) check_place(map, pool, *cells);
  std::string group = fmt::format("{}-{}", pool.cell, pool.pool);
  map.optional("group", group, "name of its instances, group-1, group-2 …; absent: cell-pool");
  pool.group = GroupName(group);
  if (!map.describes()) {
    if (auto valid = check_group_name(group); !valid) {
      map.error("group", "{}; say `group`", valid.error().message);
    }
    const bool is_taken = std::ranges::any_of(fleet.pools, [&](const FleetPool& other) {
      return other.group == pool.group || (other.cell == pool.cell && other.pool == pool.pool);
    });
    if (is_taken) map.error("pool", "the fleet has this pool or group already");
  }
  read_spec(map, files, pool.spec);
  read_keeping(map, pool.keeping);
  fleet.pools.push_back(std::move(pool));
}

void read_section(YamlMap& map, const std::vector<Cell>* cells, store::FileLoader& files,
                  FleetSettings& fleet) {
  store::FilePath directory{fleet.directory};
  map.optional("directory", directory,
               "records and output of the instances; made if it is not there");
  fleet.directory = files.resolve(directory.path);
  map.list("pools", "the pools of this node",
           [&](YamlMap& pool) { read_pool(pool, cells, files, fleet); });
}

}  // namespace

std::optional<FleetSettings> read_fleet(const YamlNode& section, const std::vector<Cell>* cells,
                                        store::FileLoader& files, Diagnostics& diagnostics) {
  const size_t errors = diagnostics.errors();
  FleetSettings fleet;
  read_yaml(section, diagnostics, [&](YamlMap& map) { read_section(map, cells, files, fleet); });
  if (diagnostics.errors() > errors) return std::nullopt;
  return fleet;
}

std::vector<KeyDescription> describe_fleet() {
  store::NoFiles files;
  FleetSettings fleet;
  return describe_yaml([&](YamlMap& map) { read_section(map, nullptr, files, fleet); });
}

}  // namespace partywall::fleet
