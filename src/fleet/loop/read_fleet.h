#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/yaml_map.h"
#include "fleet/loop/fleet_loop.h"
#include "store/file_loader.h"

// The section `fleet` of the platform file: the pools whose instances a node starts and ends.
namespace partywall::fleet {

struct FleetSettings {
  std::string directory = "fleet";  // such that the process can open it
  std::vector<FleetPool> pools;
};

// Nothing if there is anything wrong with the section, which was reported then. `cells`: where the
// pools are looked up; nullptr: they are in a control store.
std::optional<FleetSettings> read_fleet(const YamlNode& section, const std::vector<Cell>* cells,
                                        store::FileLoader& files, Diagnostics& diagnostics);

// Every key that can be in it, in the order of docs/fleet.md.
std::vector<KeyDescription> describe_fleet();

}  // namespace partywall::fleet
