#include "daemon/open_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace partywall::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

store::NodeSettings node_with_three_doors() {
  store::NodeSettings settings;
  settings.listen.http = settings.listen.sql = settings.listen.cache = store::ListenSettings{};
  return settings;
}

uint64_t files_of(const store::NodeSettings& settings, unsigned workers) {
  return 2 * workers *
         uint64_t{settings.http.max_connections + settings.sql.max_connections +
                  settings.cache.max_connections};
}

TEST(OpenFiles, EnoughOfThemLowerNothing) {
  store::NodeSettings settings = node_with_three_doors();
  const store::NodeSettings before = settings;
  EXPECT_THAT(fit_to_open_files(settings, 4, 1 << 20), IsEmpty());
  EXPECT_EQ(settings, before);
}

TEST(OpenFiles, ClientsNeverNeedAllOfThem) {
  for (const unsigned workers : {1U, 2U, 8U}) {
    for (const uint64_t limit : {1'024U, 4'096U, 65'536U}) {
      store::NodeSettings settings = node_with_three_doors();
      fit_to_open_files(settings, workers, limit);
      if (limit / workers < 200) continue;  // the least that a door takes
      EXPECT_LE(files_of(settings, workers), limit - limit / 8) << workers << " " << limit;
      EXPECT_GT(files_of(settings, workers), limit / 2) << workers << " " << limit;
      for (const auto& door :
           {std::pair{settings.sql.max_connections, settings.sql.max_tenant_connections},
            std::pair{settings.cache.max_connections, settings.cache.max_tenant_connections}})
        EXPECT_LE(door.second, std::max(4U, door.first * workers / 4));
    }
  }
}

TEST(OpenFiles, WhatWasLoweredIsSaid) {
  store::NodeSettings settings;
  settings.listen.sql = store::ListenSettings{};
  EXPECT_THAT(fit_to_open_files(settings, 1, 1'024),
              ElementsAre("doors.sql.max_connections: 448 instead of 10000"));
  EXPECT_EQ(settings.sql.max_connections, 448U);
  EXPECT_EQ(settings.sql.max_tenant_connections, 112U);
  EXPECT_EQ(settings.http.max_connections, store::NodeSettings().http.max_connections);
}

TEST(OpenFiles, TheLimitIsRaisedToWhatTheSystemAllows) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_EQ(raise_open_file_limit(), files.rlim_max);
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_EQ(files.rlim_cur, files.rlim_max);
}

}  // namespace
}  // namespace partywall::daemon
