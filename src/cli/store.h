#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace partywall::cli {

// `partywall store …`: the control store's schema and contents. Each takes a platform file with the
// section `control_store`, whose user owns the schema.

// Makes the schema or brings it up to date, and lets the roles read as nodes. Safe to repeat.
int store_init(const std::string& platform_file, const std::vector<std::string>& node_roles);
int store_migrate(const std::string& platform_file);
int store_status(const std::string& platform_file);
// Puts what `source`, a platform file without `control_store`, says into an empty store.
int store_import(const std::string& platform_file, const std::string& source);
// After the database was put back to an earlier state on purpose: makes its versions higher than
// `above`, the highest that a node has seen, and every node read everything again.
int store_restored(const std::string& platform_file, uint64_t above);

}  // namespace partywall::cli
