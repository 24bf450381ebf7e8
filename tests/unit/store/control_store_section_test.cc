#include <gtest/gtest.h>

#include "store/example_platform.h"

namespace partywall::store {
namespace {

constexpr std::string_view kSection =
    "control_store: {address: 127.0.0.1, port: 5432, user: node, password_file: pw, "
    "node_key_file: key}\n";

FakeFiles section_files() {
  FakeFiles made;
  made.add("pw", "password\n");
  made.add("key", std::string(64, 'a') + "\n");
  return made;
}

std::optional<PlatformFile> read(std::string_view text) {
  FakeFiles from = section_files();
  Diagnostics diagnostics;
  return read_platform_file(text, from, diagnostics);
}

std::vector<std::string> problems(std::string_view text) {
  return problems_of(text, section_files());
}

TEST(ControlStoreSection, IsAllThatANodeNeeds) {
  const auto platform =
      read(std::string(kSection) + "directory: {snapshot_file: d.snapshot, max_staleness: 10m}\n");
  ASSERT_TRUE(platform);
  ASSERT_TRUE(platform->control_store);
  const ControlStoreOptions& options = *platform->control_store;
  EXPECT_EQ(options.connection.database, "partywall");
  EXPECT_EQ(options.connection.user, "node");
  EXPECT_TRUE(options.connection.password.equals("password"));
  EXPECT_TRUE(options.node_key.equals(std::string(32, '\xAA')));
  EXPECT_EQ(options.snapshot_file, "/etc/partywall/d.snapshot");
  EXPECT_EQ(options.max_staleness, minutes(10));
  EXPECT_NE(options.node_name, "");
  EXPECT_TRUE(platform->directory.tenants.empty());
}

TEST(ControlStoreSection, TlsIsVerifiedWhereverItLeavesTheMachine) {
  const auto mode = [](std::string_view address) {
    return read(fmt::format("control_store: {{address: {}, port: 5432, user: u, password_file: pw, "
                            "node_key_file: key}}\n",
                            address))
        ->control_store->connection.tls;
  };
  EXPECT_EQ(mode("127.0.0.1"), postgres::TlsMode::kDisable);
  EXPECT_EQ(mode("\"::1\""), postgres::TlsMode::kDisable);
  EXPECT_EQ(mode("10.0.0.1"), postgres::TlsMode::kVerifyFull);
}

TEST(ControlStoreSection, WhatTheStoreHasIsNotSaidTwice) {
  EXPECT_EQ(problems(std::string(kSection) + "tenants: []\nroutes: []\n"),
            (std::vector<std::string>{
                "platform.yaml:2:10: error: 'tenants' is kept in the control store; remove it here "
                "(`partywall store import` brings a platform file there)",
                "platform.yaml:3:9: error: 'routes' is kept in the control store; remove it here "
                "(`partywall store import` brings a platform file there)"}));
}

TEST(ControlStoreSection, TheDirectorySectionNeedsIt) {
  const auto found = problems("directory: {max_staleness: 1m}\n");
  EXPECT_TRUE(std::ranges::any_of(found, [](const std::string& line) {
    return line.contains("'directory' is of use only beside 'control_store'");
  }));
}

}  // namespace
}  // namespace partywall::store
