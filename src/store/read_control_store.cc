#include "base/address_block.h"
#include "store/file_keys.h"
#include "store/platform_sections.h"

namespace partywall::store {
namespace {

constexpr Choice<postgres::TlsMode> kTlsModes[] = {{"disable", postgres::TlsMode::kDisable},
                                                   {"require", postgres::TlsMode::kRequire},
                                                   {"verify-full", postgres::TlsMode::kVerifyFull}};
constexpr Duration kAnswerTimeout = seconds(15);
constexpr Duration kLeastStaleness = seconds(30);
// What is older may be counted twice: the store has forgotten the run (kUsageHoursKept).
constexpr Duration kLongestUsageKept = hours(24 * 7);

bool stays_on_this_machine(const Endpoint& endpoint) {
  return endpoint.is_unix() || is_loopback_address(endpoint.address);
}

void read_connection(YamlMap& map, FileLoader& files, postgres::ConnectionSettings& connection) {
  read_endpoint(map, connection.endpoint, 1);
  connection.database = "partywall";
  map.optional("database", connection.database,
               "a database of its own; never that of a cell, whose tenants log in there");
  map.required("user", connection.user,
               "the schema's owner for `partywall control` and `partywall store`; for nodes a role "
               "that `partywall store init --node-role` was told");
  read_password_file(map, files, "password_file", connection.password, "its password");
  const bool chosen = map.optional_choice(
      "tls", connection.tls, kTlsModes,
      "absent: `verify-full`, and `disable` for a loopback address or a unix socket");
  if (!chosen) {
    connection.tls = stays_on_this_machine(connection.endpoint) ? postgres::TlsMode::kDisable
                                                                : postgres::TlsMode::kVerifyFull;
  }
  FilePath ca;
  if (map.optional("tls_ca", ca, "certificates of the authorities that are believed, PEM"))
    connection.tls_root_certificate = files.resolve(ca.path);
  connection.application_name = "partywall control store";
  connection.answer_timeout = kAnswerTimeout;
  connection.statement_timeout = kAnswerTimeout;
}

void read_directory(YamlMap& map, FileLoader& files, ControlStoreOptions& options) {
  FilePath snapshot;
  if (map.optional("snapshot_file", snapshot,
                   "where the node keeps its last directory, sealed with the node key: with it the "
                   "node can start while the store is down; absent: it cannot"))
    options.snapshot_file = files.resolve(snapshot.path);
  map.optional("max_staleness", options.max_staleness, {kLeastStaleness, hours(24 * 365)},
               "a node that was cut off from the store for longer treats every tenant as "
               "suspended; absent: it serves what it has");
}

void read_usage(YamlMap& map, FileLoader& files, ControlStoreOptions& options) {
  map.optional("interval", options.usage_interval, {seconds(1), hours(1)},
               "between two reports; what a killed node counted since the last one is lost");
  FilePath spool;
  if (map.optional("spool", spool,
                   "folder for what the store has not taken yet; absent: it waits in memory, the "
                   "last 60 intervals of it"))
    options.usage_spool = files.resolve(spool.path);
  map.optional("keep", options.usage_keep, {minutes(1), kLongestUsageKept},
               "what the store has not taken after that time is dropped, and shown as a gap");
}

}  // namespace

void read_control_store(YamlMap& file, FileLoader& files,
                        std::optional<ControlStoreOptions>& options) {
  ControlStoreOptions read;
  read.node_name = host_name();
  const bool given = file.section(
      "control_store",
      "the PostgreSQL that holds the directory; `identity`, `tiers`, `cells`, `routes`, `tenants` "
      "and `logins` are there then, and not in this file",
      [&](YamlMap& map) {
        read_connection(map, files, read.connection);
        read_key_file(map, files, "node_key_file", SealingKey::kKeyBytes, read.node_key,
                      "the node key, 64 hexadecimal digits: secrets are sealed with it in the "
                      "store; the same for every node");
        std::string node_name;
        if (map.optional("node_name", node_name,
                         "what this node is called in the store, another for each; absent: the "
                         "host's name"))
          read.node_name = std::move(node_name);
      });
  file.section("directory", "what a node does while the control store is down", [&](YamlMap& map) {
    read_directory(map, files, read);
    if (!given && !map.describes())
      map.error("", "'directory' is of use only beside 'control_store'");
  });
  file.section("usage", "how a node hands over what its tenants used", [&](YamlMap& map) {
    read_usage(map, files, read);
    if (!given && !map.describes()) map.error("", "'usage' is of use only beside 'control_store'");
  });
  if (given) options = std::move(read);
}

}  // namespace partywall::store
