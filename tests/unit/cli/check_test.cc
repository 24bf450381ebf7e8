#include "cli/check.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cli/exit_code.h"

namespace partywall::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    std::string name = testing::TempDir() + "partywall-check-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    folder_ = name;
    write("context.key", std::string(64, 'a') + "\n");
  }
  ~CheckTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view content) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    ::chmod(path.c_str(), 0600);
    return path;
  }

  std::string folder_;
  std::string valid_ =
      "version: 1\nidentity: {context_keys: [{id: 1, file: context.key}]}\ncells: {main: {}}\n";
};

TEST_F(CheckTest, AValidFileIsSummedUp) {
  const std::string path = write("platform.yaml", valid_);
  const CheckReport report = check_platform_file(path, CheckFormat::kText);
  EXPECT_EQ(report.text, path + ": valid: 0 tenants, 1 cell, 3 tiers\n");
  EXPECT_EQ(report.exit_code, kExitSuccess);
}

TEST_F(CheckTest, EachErrorIsALineWithThePathAsItWasGiven) {
  const std::string path = write("platform.yaml", valid_ + "tenant: []\nnode: {workers: x}\n");
  const CheckReport report = check_platform_file(path, CheckFormat::kText);
  EXPECT_THAT(report.text,
              StartsWith(path + ":4:1: error: unknown key 'tenant'; did you mean 'tenants'?\n" +
                         path + ":5:17: error: "));
  EXPECT_THAT(report.text, EndsWith(path + ": 2 errors, 0 warnings\n"));
  EXPECT_EQ(report.exit_code, kExitFailure);
}

TEST_F(CheckTest, WarningsAreNoFailure) {
  const std::string path = write("platform.yaml", valid_);
  ::chmod((folder_ + "/context.key").c_str(), 0644);
  const CheckReport report = check_platform_file(path, CheckFormat::kText);
  EXPECT_THAT(report.text,
              HasSubstr(":2:41: warning: 'file': every user of this machine may read "));
  EXPECT_THAT(report.text, EndsWith(": valid: 0 tenants, 1 cell, 3 tiers; 1 warning\n"));
  EXPECT_EQ(report.exit_code, kExitSuccess);
}

TEST_F(CheckTest, WhatIsLeftOutIsCounted) {
  std::string text = valid_;
  for (int i = 0; i < 130; ++i) text += fmt::format("key{}: 1\n", i);
  const CheckReport report = check_platform_file(write("platform.yaml", text), CheckFormat::kText);
  EXPECT_THAT(report.text, HasSubstr(": 30 more left out\n"));
  EXPECT_THAT(report.text, EndsWith(": 130 errors, 0 warnings\n"));
}

TEST_F(CheckTest, AFileThatCannotBeReadIsAnError) {
  const CheckReport report = check_platform_file(folder_ + "/absent.yaml", CheckFormat::kText);
  EXPECT_THAT(report.text, StartsWith(folder_ + "/absent.yaml: error: cannot read "));
  EXPECT_EQ(report.exit_code, kExitFailure);
}

TEST_F(CheckTest, WarnsOfAPlatformFileThatOthersMayChange) {
  const std::string path = write("platform.yaml", valid_);
  ::chmod(path.c_str(), 0620);
  EXPECT_THAT(check_platform_file(path, CheckFormat::kText).text,
              StartsWith(path + ": warning: others than its owner may write to this file"));
}

TEST_F(CheckTest, JsonSaysTheSame) {
  const std::string path = write("platform.yaml", valid_ + "\"a\\\"b\": 1\n");
  const CheckReport report = check_platform_file(path, CheckFormat::kJson);
  EXPECT_EQ(report.exit_code, kExitFailure);
  EXPECT_THAT(report.text,
              StartsWith("{\"file\":\"" + path +
                         "\",\"valid\":false,\"errors\":1,\"warnings\":0,\"left_out\":0,"
                         "\"diagnostics\":[{\"severity\":\"error\",\"line\":4,\"column\":1,"));
  EXPECT_TRUE(JsonValue::parse(report.text)) << report.text;
}

}  // namespace
}  // namespace partywall::cli
