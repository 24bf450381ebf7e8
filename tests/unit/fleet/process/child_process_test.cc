#include "fleet/process/child_process.h"

#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace partywall::fleet {
namespace {

constexpr Duration kLong =
    seconds(30);  // for what must happen; no test passes by waiting this long

ChildProcess shell(const std::string& script, const std::string& output = "") {
  auto child = ChildProcess::spawn(
      {.command = {"/bin/sh", "-c", script}, .environment = {"A=b"}, .output_file = output});
  EXPECT_TRUE(child) << child.error().message;
  return *std::move(child);
}

TEST(ChildProcess, ItsOutputAndEnvironment) {
  const TemporaryDirectory directory;
  ChildProcess child =
      shell("echo out $A; echo err >&2; env | grep -c HOME", directory.file("log"));
  ASSERT_TRUE(child.wait(kLong));
  EXPECT_EQ(child.reap(), "exit status 1");
  EXPECT_EQ(read_file(directory.file("log")), "out b\nerr\n0\n");
}

TEST(ChildProcess, SaysHowItEnded) {
  ChildProcess by_itself = shell("exit 3");
  ASSERT_TRUE(by_itself.wait(kLong));
  EXPECT_EQ(by_itself.reap(), "exit status 3");
  ChildProcess killed = shell("kill -SEGV $$");
  ASSERT_TRUE(killed.wait(kLong));
  EXPECT_EQ(killed.reap(), "killed by SIGSEGV");
}

TEST(ChildProcess, ACommandThatIsNotThere) {
  const auto child = ChildProcess::spawn({.command = {"/nonexistent/program"}});
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().message.find("/nonexistent/program"), std::string::npos);
  EXPECT_FALSE(ChildProcess::spawn({.command = {}}));
}

TEST(ChildProcess, InheritsNoOpenFile) {
  const FileDescriptor opened(::open("/dev/null", O_RDONLY));
  const FileDescriptor leaked(
      ::fcntl(opened.number(), F_DUPFD, 100));  // no close-on-exec, as a library might
  ASSERT_TRUE(leaked.valid());
  ChildProcess child = shell("test -e /proc/self/fd/2 && test ! -e /proc/self/fd/" +
                             std::to_string(leaked.number()));
  ASSERT_TRUE(child.wait(kLong));
  EXPECT_EQ(child.reap(), "exit status 0");
}

TEST(ChildProcess, StopAsksFirstAndKillsThen) {
  ChildProcess polite = shell("trap 'exit 7' TERM; while :; do sleep 0.01; done");
  // The trap is not set at once: ask until it answers as it should.
  EXPECT_FALSE(polite.wait(milliseconds(100)));
  EXPECT_EQ(stop_process(polite, SIGTERM, kLong), "exit status 7");
  ChildProcess stubborn = shell("trap '' TERM; while :; do sleep 0.01; done");
  EXPECT_FALSE(stubborn.wait(milliseconds(100)));
  EXPECT_EQ(stop_process(stubborn, SIGTERM, milliseconds(50)), "killed by SIGKILL");
}

TEST(ChildProcess, TakesWhatItStartedAlongWhenItEnds) {
  const TemporaryDirectory directory;
  ChildProcess child = shell("sleep 1000 & echo $!; exit 0", directory.file("log"));
  ASSERT_TRUE(child.wait(kLong));
  const pid_t orphan = std::stoi(read_file(directory.file("log")));
  const auto handle = identify_process(orphan);
  ASSERT_TRUE(handle);
  const auto watched = ChildProcess::adopt(*handle);
  ASSERT_TRUE(watched);
  (void)child.reap();
  EXPECT_TRUE(watched->wait(kLong));
}

TEST(ChildProcess, IsAdoptedOnlyByItsWholeIdentity) {
  ChildProcess child = shell("sleep 1000");
  const ProcessIdentity identity = child.identity();
  ProcessIdentity other = identity;
  other.start_ticks += 1;
  EXPECT_FALSE(ChildProcess::adopt(other));
  auto adopted = ChildProcess::adopt(identity);
  ASSERT_TRUE(adopted);
  adopted->signal(SIGKILL);
  EXPECT_TRUE(adopted->wait(kLong));
  EXPECT_TRUE(child.wait(kLong));
  EXPECT_EQ(child.reap(), "killed by SIGKILL");
  EXPECT_FALSE(ChildProcess::adopt(identity));
}

}  // namespace
}  // namespace partywall::fleet
