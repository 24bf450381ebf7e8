#include "fleet/process/process_identity.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace partywall::fleet {
namespace {

constexpr std::string_view kFieldsAfterState =
    "1 7 5 0 -1 4194560 1 2 3 4 50 60 7 8 20 0 1 0 987654 10 11 18446744073709551615";

TEST(ProcessStat, ReadsStateAndStartTime) {
  const auto stat = parse_process_stat("7 (sleep) S " + std::string(kFieldsAfterState));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->start_ticks, 987654U);
  EXPECT_EQ(stat->session, 5);
  EXPECT_EQ(stat->processor_ticks, 110U);
  EXPECT_EQ(stat->resident_pages, 11U);
}

TEST(ProcessStat, AProcessNameMayHoldAnything) {
  const auto stat = parse_process_stat("7 (a) Z 1 1 (b) (c) R " + std::string(kFieldsAfterState));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->start_ticks, 987654U);
}

TEST(ProcessStat, NothingFromWhatIsCutOff) {
  const std::string whole = "7 (sleep) S " + std::string(kFieldsAfterState);
  const size_t last_field = whole.find("11 18446744073709551615");
  for (size_t length = 0; length <= last_field; ++length) {
    EXPECT_FALSE(parse_process_stat(std::string_view(whole).substr(0, length))) << length;
  }
}

TEST(ProcessIdentity, OfOurselves) {
  const auto identity = identify_process(getpid());
  ASSERT_TRUE(identity);
  EXPECT_TRUE(is_running(*identity));
  ProcessIdentity successor = *identity;
  successor.start_ticks += 1;
  EXPECT_FALSE(is_running(successor)) << "same pid, other start time: another process";
  ProcessIdentity before_the_boot = *identity;
  before_the_boot.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_FALSE(is_running(before_the_boot));
}

TEST(ProcessIdentity, OfNobody) {
  EXPECT_FALSE(identify_process(0));
  EXPECT_FALSE(identify_process(-1));
  EXPECT_FALSE(identify_process(1 << 30));
}

}  // namespace
}  // namespace partywall::fleet
