#include <atomic>
#include <thread>

#include "control/store_fixture.h"
#include "store/control/access.h"
#include "store/control/cells.h"
#include "store/control/directory_documents.h"
#include "store/control/directory_image.h"
#include "store/control/migrate.h"
#include "store/control/migrations.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"

namespace partywall::store {
namespace {

class FeedTest : public StoreTest {
 protected:
  FeedTest() { add_basics(); }

  Result<std::optional<DirectoryDelta>> changes_since(const StoreVersion& since) {
    auto session = store_.session();
    return read_directory_changes(*session, since);
  }
  DirectoryDelta whole() {
    auto session = store_.session();
    return read_whole_directory(*session).value();
  }
};

TEST_F(FeedTest, ChangesSinceAVersionLeadToTheSameAsTheWhole) {
  SeededRandom random(20);
  DocumentMap followed;
  DirectoryDelta first = whole();
  merge(first, followed);
  StoreVersion at = first.version;
  for (int round = 0; round < 60; ++round) {
    const int changes = static_cast<int>(random.below(4));
    for (int i = 0; i < changes; ++i) {
      const uint64_t number = random.below(8);
      const uint64_t what = random.below(5);
      (void)change([&](Change& change) -> Result<> {
        if (what == 0) return insert_tenant(change, make_tenant(number));
        if (what == 1) return delete_tenant(change, tenant_id(number));
        if (what == 2)
          return put_route(change, {.path_prefix = fmt::format("/{}", number), .pool = "web"});
        if (what == 3) return remove_route(change, fmt::format("/{}", number));
        return set_override(change, tenant_id(number),
                            {.term = "weight", .value = JsonValue(int64_t(1 + random.below(9)))});
      });
    }
    const auto delta = changes_since(at);
    ASSERT_TRUE(delta) << delta.error().message;
    if (*delta) {
      EXPECT_EQ((*delta)->extent, Extent::kChanges);
      EXPECT_GT((*delta)->version.version, at.version);
      merge(**delta, followed);
      at = (*delta)->version;
    }
    DocumentMap expected;
    merge(whole(), expected);
    std::erase_if(followed, [](const auto& kind) { return kind.second.empty(); });
    ASSERT_EQ(followed, expected) << "round " << round;
  }
}

// Four writers commit in any order while a reader follows by version alone. Whatever the
// interleaving, the reader must end with exactly what is there: a version that became visible after
// a later one would be missing.
TEST_F(FeedTest, AReaderByVersionMissesNothingOfConcurrentWriters) {
  constexpr int kWriters = 4;
  constexpr int kChangesEach = 60;
  std::atomic<int> running{kWriters};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      SystemRandom random;
      ControlStore store({test_connection(), test_key()}, random);
      for (int i = 0; i < kChangesEach; ++i) {
        const auto done = store.change(author(), [&](Change& change) {
          return put_route(change,
                           {.path_prefix = fmt::format("/{}/{}", writer, i), .pool = "web"});
        });
        EXPECT_TRUE(done) << done.error().message;
      }
      --running;
    });
  }
  // Some changes by hand, as an operator with psql makes them: the feed is the database's own.
  writers.emplace_back([&] {
    auto connection = plain_connection();
    for (int i = 0; i < kChangesEach; ++i) {
      const auto done = connection.execute(
          "INSERT INTO partywall.routes (path_prefix, pool, authenticated) VALUES ($1, 'x', true)",
          {fmt::format("/psql/{}", i)});
      EXPECT_TRUE(done) << done.error().message;
    }
  });
  DocumentMap followed;
  DirectoryDelta first = whole();
  merge(first, followed);
  StoreVersion at = first.version;
  const auto follow = [&] {
    const auto delta = changes_since(at);
    ASSERT_TRUE(delta) << delta.error().message;
    if (!*delta) return;
    merge(**delta, followed);
    at = (*delta)->version;
  };
  while (running > 0) follow();
  for (std::thread& writer : writers) writer.join();
  follow();
  EXPECT_EQ(followed["route"].size(), (kWriters + 1) * size_t{kChangesEach});
  EXPECT_EQ(at.version, version());
}

TEST_F(FeedTest, ALongTransactionHoldsBackVersionsInsteadOfLosingThem) {
  auto slow = plain_connection();
  slow.execute_script(
          "BEGIN; INSERT INTO partywall.routes (path_prefix, pool, authenticated) "
          "VALUES ('/slow', 'web', true)")
      .value();
  const StoreVersion before = whole().version;
  std::atomic<bool> committed{false};
  std::thread fast([&] {
    SystemRandom random;
    ControlStore store({test_connection(), test_key()}, random);
    const auto done = store.change(author(), [&](Change& change) {
      EXPECT_TRUE(committed) << "a later version must not overtake an earlier one";
      return put_route(change, {.path_prefix = "/fast", .pool = "web"});
    });
    EXPECT_TRUE(done) << done.error().message;
  });
  EXPECT_EQ(changes_since(before).value(), std::nullopt);
  committed = true;
  slow.execute_script("COMMIT").value();
  fast.join();
  const auto delta = changes_since(before).value();
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->version.version, before.version + 2);
  EXPECT_EQ(delta->documents.size(), 2u);
}

TEST_F(FeedTest, WhoIsTooFarBehindReadsEverything) {
  const StoreVersion old = whole().version;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(change([&](Change& change) {
      return put_route(change, {.path_prefix = fmt::format("/{}", i), .pool = "web"});
    }));
  }
  ASSERT_TRUE(change([](Change& change) { return trim_changes(change, 2); }));
  EXPECT_EQ(changes_since(old).value()->extent, Extent::kWhole);
  StoreVersion recent = whole().version;
  recent.version -= 2;
  EXPECT_EQ(changes_since(recent).value()->extent, Extent::kChanges);
}

TEST_F(FeedTest, AStoreThatWasPutBackIsRefusedUntilSomebodySaysThatItIsMeant) {
  StoreVersion seen = whole().version;
  seen.version += 10;
  EXPECT_EQ(changes_since(seen).error().kind, ErrorKind::kConflict);
  const auto version =
      change([&](Change& change) { return start_new_incarnation(change, seen.version); });
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_GT(*version, seen.version);
  const auto delta = changes_since(seen).value();
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->extent, Extent::kWhole);
  EXPECT_NE(delta->version.incarnation, seen.incarnation);
}

TEST_F(FeedTest, TruncateWouldBypassTheFeed) {
  auto connection = plain_connection();
  EXPECT_FALSE(connection.execute("TRUNCATE partywall.routes"));
}

TEST_F(FeedTest, TheImageIsWhatTheStoreHas) {
  ASSERT_TRUE(change([](Change& change) -> Result<> {
    TenantRecord tenant = make_tenant(1);
    tenant.overrides = {{.term = "weight", .value = JsonValue(int64_t{9})}};
    tenant.sql_logins = {{.user = "t1.x", .verifier = "v"}};
    if (auto inserted = insert_tenant(change, tenant); !inserted) return inserted;
    TenantRecord nowhere = make_tenant(2);
    nowhere.placement.reset();
    nowhere.status = TenantStatus::kRequested;
    if (auto inserted = insert_tenant(change, nowhere); !inserted) return inserted;
    if (auto added = add_context_key(change, {.id = 2, .key = Secret(std::string(32, 'd'))});
        !added)
      return added;
    if (auto first = make_context_key_first(change, 2); !first) return first;
    return put_issuer(
        change, {.issuer = "https://i", .audience = "a", .key_set = "{}", .leeway = seconds(7)});
  }));
  const SealingKey key = test_key();
  DirectoryImage image(key);
  ASSERT_TRUE(image.apply(whole()));
  auto data = image.directory_data();
  ASSERT_TRUE(data) << data.error().message;
  ASSERT_EQ(data->tenants.size(), 1u) << "who has no cell cannot be served";
  EXPECT_EQ(data->tenants[0].weight, 9u);
  EXPECT_EQ(data->tenants[0].cell, "main");
  ASSERT_EQ(data->sql_logins.size(), 1u);
  EXPECT_EQ(data->sql_logins[0].cell, "main");
  EXPECT_EQ(data->sql_logins[0].database, "app");
  ASSERT_EQ(data->context_keys.size(), 2u);
  EXPECT_EQ(data->context_keys[0].id, 2);
  EXPECT_TRUE(data->context_keys[0].key.equals(std::string(32, 'd')));
  EXPECT_EQ(data->issuers.at(0).key_set, "{}");
  EXPECT_EQ(data->issuers.at(0).leeway, seconds(7));
  const Cell& cell = data->cells.at(0);
  const Cell& written = make_cell("main").cell;
  EXPECT_TRUE(cell.sql.register_key.equals(written.sql.register_key.reveal()));
  EXPECT_TRUE(cell.cache.tenant_password.equals("tenant-secret"));
  EXPECT_EQ(cell.pools.at(0).health, written.pools.at(0).health);
  EXPECT_TRUE(Directory::build(*std::move(data)));
}

TEST_F(FeedTest, ASecretMovedToAnotherPlaceIsNotUsed) {
  ASSERT_TRUE(change([](Change& change) { return put_cell(change, make_cell("other")); }));
  auto connection = plain_connection();
  connection
      .execute(
          "UPDATE partywall.cells SET sealed_secrets = (SELECT sealed_secrets FROM "
          "partywall.cells WHERE name = 'main') WHERE name = 'other'")
      .value();
  const SealingKey key = test_key();
  DirectoryImage image(key);
  EXPECT_EQ(image.apply(whole()).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(image.documents().empty()) << "all of it or nothing";
}

TEST_F(FeedTest, NothingSecretIsStoredInPlainText) {
  auto connection = plain_connection();
  const auto dump = connection.execute(
      "SELECT string_agg(t::text, ' ') FROM (SELECT c::text FROM partywall.cells c UNION ALL "
      "SELECT k::text FROM partywall.context_keys k UNION ALL SELECT e::text FROM "
      "partywall.events e) AS x (t)");
  const std::string text(dump.value().text(0));
  for (const std::string_view secret : {"slot-secret", "door-secret", "tenant-secret"})
    EXPECT_FALSE(text.contains(secret)) << secret;
  EXPECT_FALSE(text.contains(std::string(16, 'c')));
  EXPECT_FALSE(text.contains(std::string(16, 'r')));
}

TEST_F(FeedTest, ASchemaThatIsNewerIsRefused) {
  auto connection = plain_connection();
  connection.execute("INSERT INTO partywall.migrations (number, name) VALUES (999, 'later')")
      .value();
  EXPECT_EQ(migrate(connection).error().kind, ErrorKind::kInvalid);
  auto store = another_store();
  EXPECT_EQ(store.session().error().kind, ErrorKind::kInvalid);
}

TEST_F(FeedTest, MigrationsAreAppliedOnceWhoeverComes) {
  plain_connection().execute_script("DROP SCHEMA partywall CASCADE").value();
  std::atomic<size_t> applied{0};
  std::vector<std::thread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([&] {
      auto connection = plain_connection();
      const auto done = migrate(connection);
      EXPECT_TRUE(done) << done.error().message;
      if (done) applied += done->size();
    });
  }
  for (std::thread& process : processes) process.join();
  EXPECT_EQ(applied, migrations().size());
}

TEST_F(FeedTest, TheDatabaseOfACellIsRefused) {
  auto connection = plain_connection();
  connection.execute_script("DROP SCHEMA partywall CASCADE; CREATE SCHEMA partywall").value();
  EXPECT_EQ(migrate(connection).error().kind, ErrorKind::kConflict);
}

TEST_F(FeedTest, ANodesRoleMayReadAndReportAndNothingElse) {
  auto owner = plain_connection();
  owner.execute_script("DROP ROLE IF EXISTS some_node; CREATE ROLE some_node LOGIN PASSWORD 'pw'")
      .value();
  ASSERT_TRUE(grant_node_role(owner, "some_node"));
  auto settings = test_connection();
  settings.user = "some_node";
  settings.password = Secret("pw");
  ControlStore store({settings, test_key()}, random_);
  auto session = store.session();
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_TRUE(read_whole_directory(*session));
  EXPECT_TRUE(
      session->execute("INSERT INTO partywall.nodes (name, directory_version, release, "
                       "started_at) VALUES ('n', 1, 'r', now())"));
  for (const char* const forbidden :
       {"UPDATE partywall.tenants SET tier = 'enterprise'",
        "UPDATE partywall.head SET version = 99", "DELETE FROM partywall.changes",
        "SELECT * FROM partywall.admin_tokens", "SELECT * FROM partywall.events",
        "INSERT INTO partywall.routes VALUES ('/x', 'p', false)",
        "SELECT partywall.add_event('t', NULL, 's', 'a', '{}')"}) {
    EXPECT_FALSE(session->execute(forbidden)) << forbidden;
  }
  const auto written = store.change(author(), [](Change& change) {
    return put_route(change, {.path_prefix = "/x", .pool = "web"});
  });
  EXPECT_EQ(written.error().kind, ErrorKind::kDenied);
  owner.execute_script("DROP OWNED BY some_node; DROP ROLE some_node").value();
}

}  // namespace
}  // namespace partywall::store
