#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "store/platform_file.h"
#include "tenancy/cell.h"

// Which database a command means that takes DATABASE, --file and --cell.
namespace partywall::cli {

// Prints what is wrong with it.
std::optional<store::PlatformFile> load_platform_file(const std::string& path);

// By name; with an empty name the only one that has a database.
Result<Cell> find_cell(const std::vector<Cell>& cells, const std::string& name);

// `database` as it is if it is a libpq connection string or URI; otherwise the database of that
// name at the endpoint, or where libpq looks if there is none.
std::string connection_string(const std::string& database, const Endpoint& endpoint);

}  // namespace partywall::cli
