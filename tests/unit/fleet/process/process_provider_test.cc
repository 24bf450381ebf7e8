#include "fleet/process/process_provider.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <set>

#include <gtest/gtest.h>

#include "fleet/process/free_port.h"
#include "fleet/process/group_record.h"
#include "support/temporary_directory.h"

namespace partywall::fleet {
namespace {

const GroupName kGroup("web");
constexpr FencingNumber kLeader(1);

// A provider with a directory of its own; what it started is ended with it.
class ProcessProviderTest : public testing::Test {
 protected:
  void SetUp() override { restart_provider(); }

  void TearDown() override {
    if (!provider_) restart_provider();
    std::vector<InstanceId> ids;
    for (const auto& instance : observe()) ids.push_back(instance.id);
    EXPECT_TRUE(provider_->remove(ids, milliseconds(0)));
    EXPECT_TRUE(provider_->wait_until_gone(ids, seconds(30)));
  }

  void restart_provider() {
    watch_.reset();
    provider_.reset();
    auto started =
        ProcessProvider::start({.directory = directory_.file("fleet"),
                                .backoff = {.first = milliseconds(1), .longest = milliseconds(20)}},
                               time_);
    ASSERT_TRUE(started) << started.error().message;
    provider_ = *std::move(started);
    watch_ = provider_->watch([this](const GroupName&) {
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
  }

  std::vector<ObservedInstance> observe() { return *provider_->observe(kGroup); }

  // Waits until what is observed satisfies the condition; fails the test if it never does.
  std::vector<ObservedInstance> wait_until(
      const std::function<bool(const std::vector<ObservedInstance>&)>& satisfied) {
    std::unique_lock lock(mutex_);
    const bool reached = changed_.wait_for(lock, seconds(30), [&] { return satisfied(observe()); });
    EXPECT_TRUE(reached);
    return observe();
  }

  std::vector<ObservedInstance> wait_until_running(size_t count) {
    return wait_until([count](const auto& observed) {
      return observed.size() == count && std::ranges::all_of(observed, [](const auto& instance) {
               return instance.state == InstanceState::kRunning;
             });
    });
  }

  void ensure(const InstanceSpec& spec, uint32_t count) {
    const auto accepted = provider_->ensure(kGroup, spec, count, kLeader);
    ASSERT_TRUE(accepted) << accepted.error().message;
  }

  static InstanceSpec sleeper() { return {.version = "1", .command = {"/bin/sleep", "1000"}}; }

  TemporaryDirectory directory_;
  SystemTime time_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<void> watch_;
  std::unique_ptr<ProcessProvider> provider_;
};

std::set<int> process_ids(const std::vector<ObservedInstance>& observed) {
  std::set<int> ids;
  for (const auto& instance : observed) ids.insert(instance.process_id);
  return ids;
}

TEST_F(ProcessProviderTest, StartsAsManyAsAskedWithPortsOfTheirOwn) {
  ensure(sleeper(), 3);
  const auto observed = wait_until_running(3);
  ASSERT_EQ(observed.size(), 3U);
  std::set<uint16_t> ports;
  for (const auto& instance : observed) ports.insert(instance.endpoint.port);
  EXPECT_EQ(ports.size(), 3U);
  EXPECT_EQ(observed[0].id.value(), "web-1");
  EXPECT_EQ(process_ids(observed).size(), 3U);
}

TEST_F(ProcessProviderTest, AskingAgainChangesNothing) {
  ensure(sleeper(), 2);
  const auto before = process_ids(wait_until_running(2));
  for (int i = 0; i < 5; ++i) ensure(sleeper(), 2);
  EXPECT_EQ(process_ids(wait_until_running(2)), before);
}

TEST_F(ProcessProviderTest, TellsTheInstanceItsPortAndNothingOfOurEnvironment) {
  ::setenv("PARTYWALL_TEST_LEAK", "secret", 1);
  ensure({.command = {"/bin/sh", "-c", "echo {port} $PORT $GIVEN; env; sleep 1000"},
          .environment = {{"GIVEN", Secret("x")}}},
         1);
  const auto observed = wait_until_running(1);
  const std::string port = std::to_string(observed.front().endpoint.port);
  const std::string log = directory_.file("fleet/web-1.log");
  while (read_file(log).find("GIVEN=") == std::string::npos) ::usleep(1000);
  EXPECT_TRUE(read_file(log).starts_with(port + " " + port + " x\n")) << read_file(log);
  EXPECT_EQ(read_file(log).find("PARTYWALL_TEST_LEAK"), std::string::npos);
}

TEST_F(ProcessProviderTest, AnInstanceThatIsKilledComesBack) {
  ensure(sleeper(), 2);
  const auto before = wait_until_running(2);
  ::kill(before[0].process_id, SIGKILL);
  wait_until([](const auto& observed) {
    return observed[0].restarts == 1 && observed[0].state == InstanceState::kRunning;
  });
  const auto after = observe();
  EXPECT_NE(after[0].process_id, before[0].process_id);
  EXPECT_EQ(after[0].last_exit, "killed by SIGKILL");
  EXPECT_EQ(after[0].endpoint, before[0].endpoint) << "the doors need not learn of it";
  EXPECT_EQ(after[1].process_id, before[1].process_id);
}

TEST_F(ProcessProviderTest, OneThatKeepsEndingGetsAnotherPort) {
  ensure({.command = {"/bin/sh", "-c", "exit 1"}}, 1);
  wait_until([](const auto& observed) { return !observed.empty() && observed[0].restarts > 0; });
  const uint16_t first_port = observe()[0].endpoint.port;
  wait_until([&](const auto& observed) { return observed[0].endpoint.port != first_port; });
  EXPECT_EQ(observe()[0].last_exit, "exit status 1");
}

TEST_F(ProcessProviderTest, ACommandThatIsNotThereIsToldAndTriedAgain) {
  ensure({.command = {"/nonexistent/program"}}, 1);
  wait_until([](const auto& observed) { return !observed.empty() && observed[0].restarts >= 2; });
  EXPECT_NE(observe()[0].last_exit.find("/nonexistent/program"), std::string::npos);
}

TEST_F(ProcessProviderTest, FewerThanBeforeEndsTheHighest) {
  ensure(sleeper(), 3);
  const auto before = wait_until_running(3);
  ensure(sleeper(), 1);
  const auto after = wait_until_running(1);
  EXPECT_EQ(after[0].process_id, before[0].process_id);
  EXPECT_FALSE(identify_process(before[2].process_id));
}

TEST_F(ProcessProviderTest, AnotherSpecReplacesWhatRuns) {
  ensure(sleeper(), 2);
  const auto before = process_ids(wait_until_running(2));
  InstanceSpec next = sleeper();
  next.environment.emplace("SECRET", Secret("new password"));
  ensure(next, 2);
  const auto after = wait_until([&](const auto& observed) {
    return std::ranges::all_of(observed, [&](const auto& instance) {
      return instance.state == InstanceState::kRunning && instance.spec_digest == next.digest();
    });
  });
  for (const int pid : process_ids(after)) EXPECT_FALSE(before.contains(pid));
}

TEST_F(ProcessProviderTest, RemovedInstancesStayAway) {
  ensure(sleeper(), 2);
  const auto before = wait_until_running(2);
  const std::vector removed = {before[1].id, InstanceId("web-99")};
  ASSERT_TRUE(provider_->remove(removed, seconds(10)));
  ASSERT_TRUE(provider_->wait_until_gone(removed, seconds(30)));
  EXPECT_FALSE(identify_process(before[1].process_id));
  ASSERT_EQ(observe().size(), 1U);
  EXPECT_EQ(observe()[0].process_id, before[0].process_id);
}

TEST_F(ProcessProviderTest, WhatIsRemovedDoesNotCountAnyMore) {
  ensure(sleeper(), 3);
  const auto before = wait_until_running(3);
  ASSERT_TRUE(provider_->remove(std::vector{before[0].id}, seconds(10)));
  ensure(sleeper(), 2);
  ASSERT_TRUE(provider_->wait_until_gone(std::vector{before[0].id}, seconds(30)));
  const auto after = wait_until_running(2);
  EXPECT_EQ(after[0].process_id, before[1].process_id);
  EXPECT_EQ(after[1].process_id, before[2].process_id);
  ensure(sleeper(), 3);
  EXPECT_EQ(wait_until_running(3)[0].id.value(), "web-1") << "the lowest free name";
}

TEST_F(ProcessProviderTest, MeasuresWhatAnInstanceAndItsChildrenUse) {
  ensure({.command = {"/bin/sh", "-c", "sleep 1000 & sleep 1000"}}, 1);
  const auto observed = wait_until_running(1);
  const auto use = provider_->measure(kGroup);
  ASSERT_TRUE(use.contains(observed[0].id));
  EXPECT_GT(use.at(observed[0].id).memory_bytes, 100U << 10);
  EXPECT_TRUE(provider_->measure(GroupName("nobody")).empty());
}

TEST_F(ProcessProviderTest, InstancesOutliveTheProviderAndAreFoundAgain) {
  ensure(sleeper(), 2);
  const auto before = process_ids(wait_until_running(2));
  restart_provider();
  EXPECT_EQ(process_ids(observe()), before);
  ensure(sleeper(), 2);
  EXPECT_EQ(process_ids(wait_until_running(2)), before);
}

TEST_F(ProcessProviderTest, OneThatEndedMeanwhileIsStartedAgain) {
  ensure(sleeper(), 2);
  const auto before = wait_until_running(2);
  watch_.reset();
  provider_.reset();
  ::kill(before[0].process_id, SIGKILL);
  while (identify_process(before[0].process_id)) ::usleep(1000);
  restart_provider();
  ensure(sleeper(), 2);
  const auto after = wait_until_running(2);
  EXPECT_NE(after[0].process_id, before[0].process_id);
  EXPECT_EQ(after[1].process_id, before[1].process_id);
}

TEST_F(ProcessProviderTest, SomebodyElsesProcessUnderOurNumberIsLeftAlone) {
  ensure(sleeper(), 1);
  wait_until_running(1);
  watch_.reset();
  provider_.reset();
  // As after a reboot: the record names a pid that another process has now.
  const std::string record_file = directory_.file("fleet/web.group");
  auto record = parse_group_record(read_file(record_file));
  ASSERT_TRUE(record);
  const ProcessIdentity ours = record->instances[0].process;
  record->instances[0].process.start_ticks += 1;
  std::ofstream(record_file) << write_group_record(*record);
  restart_provider();
  ensure({.command = {"/bin/sleep", "1001"}}, 1);
  wait_until_running(1);
  EXPECT_TRUE(is_running(ours)) << "it was not ours to end";
  ::kill(ours.pid, SIGKILL);
}

TEST_F(ProcessProviderTest, AsksWithTheSignalOfTheSpec) {
  const std::string log = directory_.file("fleet/web-1.log");
  ensure(
      {.command = {"/bin/sh", "-c", "trap 'exit 9' INT; echo ready; while :; do sleep 0.01; done"},
       .stop_signal = "INT"},
      1);
  wait_until_running(1);
  while (read_file(log) != "ready\n") ::usleep(1000);
  ensure({.command = {"/bin/sleep", "1000"}, .stop_signal = "INT"}, 1);
  const auto observed = wait_until([](const auto& now) { return !now[0].last_exit.empty(); });
  EXPECT_EQ(observed[0].last_exit, "exit status 9");
}

TEST_F(ProcessProviderTest, AFixedPortIsKeptAndNotShared) {
  const uint16_t port = *find_free_loopback_port();
  InstanceSpec spec = sleeper();
  spec.port = port;
  EXPECT_FALSE(provider_->ensure(kGroup, spec, 2, kLeader));
  ensure(spec, 1);
  EXPECT_EQ(wait_until_running(1)[0].endpoint.port, port);
}

TEST_F(ProcessProviderTest, AnOldLeaderIsRefused) {
  ASSERT_TRUE(provider_->ensure(kGroup, sleeper(), 1, FencingNumber(5)));
  restart_provider();
  const auto late = provider_->ensure(kGroup, sleeper(), 9, FencingNumber(4));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kDenied);
  EXPECT_TRUE(provider_->ensure(kGroup, sleeper(), 1, FencingNumber(5)));
}

TEST_F(ProcessProviderTest, RecordsHoldNoSecret) {
  InstanceSpec spec = sleeper();
  spec.environment.emplace("PASSWORD", Secret("hunter2hunter2"));
  ensure(spec, 1);
  wait_until_running(1);
  const std::string record = read_file(directory_.file("fleet/web.group"));
  EXPECT_FALSE(record.empty());
  EXPECT_EQ(record.find("hunter2"), std::string::npos);
}

TEST_F(ProcessProviderTest, GroupNamesStayInTheDirectory) {
  for (const char* name : {"", "../x", "a/b", "A", "1a", "a b"}) {
    EXPECT_FALSE(provider_->ensure(GroupName(name), sleeper(), 1, kLeader)) << name;
  }
}

}  // namespace
}  // namespace partywall::fleet
