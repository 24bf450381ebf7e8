#include <condition_variable>
#include <filesystem>
#include <fstream>

#include "control/store_fixture.h"
#include "store/control/access.h"
#include "store/control/directory_follower.h"
#include "store/control/snapshot_file.h"
#include "store/control/tenants.h"
#include "support/temporary_directory.h"

namespace partywall::store {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// Waits until the feed has a directory of which something holds.
class Watcher {
 public:
  explicit Watcher(DirectoryFeed& feed)
      : subscription_(feed.subscribe([this](const DirectoryRef& directory) {
          const std::scoped_lock lock(mutex_);
          latest_ = directory;
          changed_.notify_all();
        })) {}

  bool wait_for(const std::function<bool(const Directory&)>& holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return latest_ && holds(*latest_); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  DirectoryRef latest_;
  DirectoryFeed::Subscription subscription_;
};

class FollowerTest : public StoreTest {
 protected:
  FollowerTest() {
    add_basics();
    insert(1);
  }

  void insert(uint64_t number) {
    const auto done =
        change([&](Change& change) { return insert_tenant(change, make_tenant(number)); });
    ASSERT_TRUE(done) << done.error().message;
  }
  void set_status(uint64_t number, TenantStatus status) {
    const auto done = change([&](Change& change) {
      return set_tenant_state(change, tenant_id(number), status, false, {}, "tenant.test");
    });
    ASSERT_TRUE(done) << done.error().message;
  }

  [[nodiscard]] FollowerSettings settings() const {
    return {.store = {.connection = test_connection(), .node_key = test_key()},
            .node_name = "node-1",
            .release = "test",
            .snapshot_file = folder_.path() + "/directory.snapshot"};
  }
  [[nodiscard]] FollowerSettings settings_without_store() const {
    FollowerSettings settings = this->settings();
    settings.store.connection.endpoint.port = 1;  // nobody listens there
    return settings;
  }
  auto start(FollowerSettings settings) {
    return DirectoryFollower::start(std::move(settings), time_, random_);
  }
  void write_a_snapshot() {
    auto follower = start(settings());
    ASSERT_TRUE(follower) << follower.error().message;
  }

  TemporaryDirectory folder_;
  SystemTime time_;
};

TEST_F(FollowerTest, ChangesReachTheFeed) {
  auto follower = start(settings());
  ASSERT_TRUE(follower) << follower.error().message;
  DirectoryFeed feed((*follower)->first());
  Watcher watcher(feed);
  (*follower)->follow(feed);
  EXPECT_TRUE(feed.current()->find_tenant_by_slug("t1"));
  set_status(1, TenantStatus::kSuspended);
  EXPECT_TRUE(watcher.wait_for([](const Directory& directory) {
    return directory.find_tenant_by_slug("t1")->status == TenantStatus::kSuspended;
  }));
  insert(2);
  EXPECT_TRUE(watcher.wait_for(
      [](const Directory& directory) { return directory.find_tenant_by_slug("t2") != nullptr; }));
  ASSERT_TRUE(change([](Change& change) { return delete_tenant(change, tenant_id(2)); }));
  EXPECT_TRUE(watcher.wait_for(
      [](const Directory& directory) { return directory.find_tenant_by_slug("t2") == nullptr; }));
  (*follower)->stop();
}

TEST_F(FollowerTest, TenantsKeepTheirNumbers) {
  auto follower = start(settings());
  DirectoryFeed feed((*follower)->first());
  Watcher watcher(feed);
  const TenantNumber before = feed.current()->find_tenant_by_slug("t1")->number;
  (*follower)->follow(feed);
  insert(0);  // comes before it in every order
  EXPECT_TRUE(watcher.wait_for(
      [](const Directory& directory) { return directory.find_tenant_by_slug("t0") != nullptr; }));
  EXPECT_EQ(feed.current()->find_tenant_by_slug("t1")->number, before);
}

TEST_F(FollowerTest, TheFollowerComesBackAfterItsConnectionWasCut) {
  auto follower = start(settings());
  DirectoryFeed feed((*follower)->first());
  Watcher watcher(feed);
  (*follower)->follow(feed);
  auto connection = plain_connection();
  connection
      .execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> "
          "pg_backend_pid() AND datname = current_database()")
      .value();
  auto again = another_store();
  ASSERT_TRUE(
      again.change(author(), [](Change& change) { return insert_tenant(change, make_tenant(7)); }));
  EXPECT_TRUE(watcher.wait_for(
      [](const Directory& directory) { return directory.find_tenant_by_slug("t7") != nullptr; }));
}

TEST_F(FollowerTest, ANodeStartsFromItsSnapshotWhileTheStoreIsDown) {
  write_a_snapshot();
  auto follower = start(settings_without_store());
  ASSERT_TRUE(follower) << follower.error().message;
  EXPECT_TRUE((*follower)->first()->find_tenant_by_slug("t1"));
  EXPECT_FALSE((*follower)->status().is_connected);
  EXPECT_NE((*follower)->status().problem, "");
}

TEST_F(FollowerTest, WithoutStoreAndSnapshotThereIsNoNode) {
  EXPECT_EQ(start(settings_without_store()).error().kind, ErrorKind::kUnavailable);
}

TEST_F(FollowerTest, ASnapshotIsForItsOwnerAloneAndHasNothingToRead) {
  write_a_snapshot();
  const std::string path = settings().snapshot_file;
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  EXPECT_FALSE(content.contains("Tenant 1"));
}

TEST_F(FollowerTest, AForgedSnapshotIsNotUsed) {
  const std::string path = settings().snapshot_file;
  // Sealed with another key: the attacker has the format, not the key.
  DocumentMap documents;
  documents["tier"]["free"] = "{}";
  ASSERT_TRUE(write_snapshot(path, {.version = {.incarnation = "x", .version = 1'000'000}},
                             documents, test_key('x'), random_));
  EXPECT_FALSE(start(settings_without_store()));
  // With the store at hand the node starts from that, and the forgery is replaced.
  auto follower = start(settings());
  ASSERT_TRUE(follower) << follower.error().message;
  EXPECT_TRUE(read_snapshot(path, test_key()));
}

TEST_F(FollowerTest, AnOldSnapshotIsBroughtUpToDate) {
  write_a_snapshot();
  set_status(1, TenantStatus::kSuspended);
  auto follower = start(settings());
  ASSERT_TRUE(follower) << follower.error().message;
  EXPECT_EQ((*follower)->first()->find_tenant_by_slug("t1")->status, TenantStatus::kSuspended);
}

TEST_F(FollowerTest, AStoreThatGoesBackIsNotFollowed) {
  auto follower = start(settings());
  DirectoryFeed feed((*follower)->first());
  (*follower)->follow(feed);
  // Somebody puts an older state of the database back: t1 is there no more.
  auto connection = plain_connection();
  connection
      .execute_script(
          "DELETE FROM partywall.tenants; UPDATE partywall.head SET version = 1; "
          "NOTIFY partywall_directory")
      .value();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!(*follower)->status().problem.contains("put back") &&
         std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_THAT((*follower)->status().problem, testing::HasSubstr("put back"));
  EXPECT_TRUE(feed.current()->find_tenant_by_slug("t1"));
}

TEST_F(FollowerTest, ADirectoryThatIsTooOldIsClosed) {
  write_a_snapshot();
  FollowerSettings late = settings_without_store();
  late.max_staleness = Duration(1);
  auto follower = start(late);
  ASSERT_TRUE(follower) << follower.error().message;
  EXPECT_EQ((*follower)->first()->find_tenant_by_slug("t1")->status, TenantStatus::kSuspended);
  EXPECT_TRUE((*follower)->status().is_closed);
}

TEST_F(FollowerTest, ItOpensAgainWhenTheStoreIsBack) {
  write_a_snapshot();
  FollowerSettings late = settings();
  late.max_staleness = Duration(1);  // so it is too old until the store was seen
  auto follower = start(late);
  DirectoryFeed feed((*follower)->first());
  Watcher watcher(feed);
  (*follower)->follow(feed);
  EXPECT_TRUE(watcher.wait_for([](const Directory& directory) {
    return directory.find_tenant_by_slug("t1")->status == TenantStatus::kActive;
  }));
}

// Anybody who may connect to the database can notify; the follower looks, finds nothing, and goes
// on.
TEST_F(FollowerTest, ForgedNotificationsAreOnlyHints) {
  auto follower = start(settings());
  DirectoryFeed feed((*follower)->first());
  Watcher watcher(feed);
  (*follower)->follow(feed);
  const uint64_t before = feed.current()->version();
  auto connection = plain_connection();
  connection.execute_script("DROP ROLE IF EXISTS nobody_special; CREATE ROLE nobody_special")
      .value();
  connection.execute("SET ROLE nobody_special").value();
  for (int i = 0; i < 500; ++i) {
    connection.execute("SELECT pg_notify('partywall_directory', '999999999')").value();
  }
  connection.execute("RESET ROLE").value();
  insert(2);
  EXPECT_TRUE(watcher.wait_for(
      [](const Directory& directory) { return directory.find_tenant_by_slug("t2") != nullptr; }));
  EXPECT_EQ(feed.current()->version(), before + 1) << "no directory was built for a mere hint";
  connection.execute("DROP ROLE nobody_special").value();
}

TEST_F(FollowerTest, TheStoreKnowsWhatEachNodeServes) {
  auto follower = start(settings());
  DirectoryFeed feed((*follower)->first());
  (*follower)->follow(feed);
  insert(2);
  auto connection = plain_connection();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int64_t reported = 0;
  while (reported != static_cast<int64_t>(version()) &&
         std::chrono::steady_clock::now() < deadline) {
    const auto rows = connection.execute("SELECT directory_version FROM partywall.nodes").value();
    reported = rows.empty() ? 0 : rows.number(0);
  }
  EXPECT_EQ(reported, static_cast<int64_t>(version()));
}

}  // namespace
}  // namespace partywall::store
