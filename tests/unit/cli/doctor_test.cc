#include <gmock/gmock.h>

#include "cli/doctor_checks.h"

namespace partywall::cli {
namespace {

using ::testing::HasSubstr;

DatabaseFacts healthy() {
  return {.server_version = 150004,
          .clock_ahead = milliseconds(3),
          .slot_roles_wanted = 20,
          .slot_roles = 20,
          .tables = 12,
          .max_connections = 100};
}

Health worst(const DatabaseFacts& facts) {
  Health worst = Health::kGood;
  for (const Finding& finding : judge_database("main", facts)) {
    worst = std::max(worst, finding.health);
    EXPECT_EQ(finding.health == Health::kGood, finding.advice.empty()) << finding.what;
  }
  return worst;
}

TEST(Doctor, AHealthyDatabaseGetsNoAdvice) { EXPECT_EQ(worst(healthy()), Health::kGood); }

TEST(Doctor, WhatLetsTenantsSeeEachOtherIsBad) {
  DatabaseFacts facts = healthy();
  facts.unsafe_roles = {"partywall_slot_007"};
  EXPECT_EQ(worst(facts), Health::kBad);
  facts = healthy();
  facts.unprotected_tables = {"public.orders"};
  EXPECT_EQ(worst(facts), Health::kBad);
  facts = healthy();
  facts.server_version = 140009;
  EXPECT_EQ(worst(facts), Health::kBad);
}

TEST(Doctor, ClocksAreJudgedInBothDirections) {
  for (const int sign : {-1, 1}) {
    DatabaseFacts facts = healthy();
    facts.clock_ahead = milliseconds(1'500) * sign;
    EXPECT_EQ(worst(facts), Health::kWarning);
    facts.clock_ahead = seconds(6) * sign;
    EXPECT_EQ(worst(facts), Health::kBad);
  }
}

TEST(Doctor, RolesAndConnectionsThatAreTooFewAreSaid) {
  DatabaseFacts facts = healthy();
  facts.slot_roles = 19;
  EXPECT_EQ(worst(facts), Health::kBad);
  facts = healthy();
  facts.max_connections = 20;
  EXPECT_EQ(worst(facts), Health::kWarning);
}

TEST(Doctor, ManyNamesStayOneLine) {
  DatabaseFacts facts = healthy();
  for (int i = 0; i < 500; ++i) facts.unprotected_tables.push_back(fmt::format("public.t{}", i));
  const std::string text = print_findings(judge_database("main", facts));
  EXPECT_THAT(text, HasSubstr("and 495 more"));
  EXPECT_LT(text.size(), 1'000u);
}

TEST(Doctor, CertificatesAndOpenFiles) {
  EXPECT_EQ(judge_certificate("a.pem", hours(24 * 100)).health, Health::kGood);
  EXPECT_EQ(judge_certificate("a.pem", hours(24)).health, Health::kWarning);
  EXPECT_EQ(judge_certificate("a.pem", -hours(1)).health, Health::kBad);
  EXPECT_EQ(judge_certificate("a.pem", std::nullopt).health, Health::kBad);
  EXPECT_EQ(judge_open_files(1'024, 30'000).health, Health::kWarning);
  EXPECT_EQ(judge_open_files(65'536, 30'000).health, Health::kGood);
}

TEST(Doctor, IsSickOnlyWithSomethingBad) {
  EXPECT_FALSE(is_sick({{.health = Health::kWarning, .what = "a"}}));
  EXPECT_TRUE(is_sick({{.what = "a"}, {.health = Health::kBad, .what = "b"}}));
}

}  // namespace
}  // namespace partywall::cli
