// What the control plane promises of itself, measured: how long until a change is at every node,
// how big a snapshot is and how long a node takes to start from it. bench/control/run starts the
// PostgreSQL and runs it: control_bench TENANTS CHANGES. The nodes are followers in this process,
// each with a feed of its own.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "control/store_fixture.h"
#include "store/control/directory_follower.h"
#include "store/control/import.h"
#include "store/control/migrate.h"
#include "store/control/snapshot_file.h"
#include "store/control/tenants.h"
#include "support/temporary_directory.h"
#include "tenancy/shipped_tiers.h"

namespace partywall::store {
namespace {

constexpr size_t kNodes = 16;
constexpr auto kBetweenChanges = std::chrono::milliseconds(50);

using Clock = std::chrono::steady_clock;

struct Size {
  uint64_t tenants;
  uint64_t changes;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<Value>) return *std::move(result);
}

DirectoryData platform(uint64_t tenants) {
  DirectoryData data;
  data.tiers = shipped_tiers();
  data.cells = {make_cell("main").cell};
  data.routes = {{.path_prefix = "/", .pool = "web"}};
  data.context_keys = {{.id = 1, .key = Secret(std::string(32, 'c'))}};
  for (uint64_t number = 0; number < tenants; ++number) {
    Tenant tenant{.id = tenant_id(number),
                  .slug = fmt::format("tenant-{}", number),
                  .name = fmt::format("Tenant number {}", number),
                  .tier = "free",
                  .cell = "main",
                  .cache_database = static_cast<uint32_t>(number)};
    apply(terms_of(data.tiers.front()), tenant);
    data.sql_logins.push_back({.user = tenant.slug,
                               .verifier = "SCRAM-SHA-256$4096:TBApaX7jWHFdOhSirdgXxA==$"
                                           "csHGrufVGToPlcM2BNF5ASvwv/h6JdhgGETbmSN0GL4=:"
                                           "Kh1GZ7ezEYJD/4M3fgkI7eRbQbBdvB+B5xN1V/TQpS8=",
                               .cell = "main",
                               .tenant = tenant.id});
    data.cache_logins.push_back({.user = tenant.slug, .tenant = tenant.id});
    data.tenants.push_back(std::move(tenant));
  }
  return data;
}

// When each version was at one node.
class Arrivals {
 public:
  void at(uint64_t version) {
    const std::scoped_lock lock(mutex_);
    times_.emplace_back(version, Clock::now());
  }
  // The first directory that is not older than the version; nothing if there is none yet.
  std::optional<Clock::time_point> of(uint64_t version) {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::ranges::find_if(times_, [&](const auto& arrival) { return arrival.first >= version; });
    return found == times_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<uint64_t, Clock::time_point>> times_;
};

struct BenchNode {
  std::unique_ptr<DirectoryFollower> follower;
  std::unique_ptr<DirectoryFeed> feed;
  std::unique_ptr<Arrivals> arrivals = std::make_unique<Arrivals>();
  DirectoryFeed::Subscription subscription;
};

std::vector<BenchNode> start_nodes(const TimeSource& time, Random& random) {
  std::vector<BenchNode> nodes;
  for (size_t i = 0; i < kNodes; ++i) {
    BenchNode node;
    node.follower = must(DirectoryFollower::start(
        {.store = {.connection = test_connection(), .node_key = test_key()},
         .node_name = fmt::format("node-{}", i),
         .release = "bench"},
        time, random));
    node.feed = std::make_unique<DirectoryFeed>(node.follower->first());
    node.subscription =
        node.feed->subscribe([arrivals = node.arrivals.get()](const DirectoryRef& directory) {
          arrivals->at(directory->version());
        });
    node.follower->follow(*node.feed);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

void measure_snapshot(ControlStore& store, uint64_t tenants, Random& random) {
  auto session = must(store.session());
  auto start = Clock::now();
  const DirectoryDelta whole = must(read_whole_directory(session));
  std::printf("reading %zu documents from the store: %.3f s\n", whole.documents.size(),
              seconds_since(start));
  DocumentMap documents;
  merge(whole, documents);
  const TemporaryDirectory folder;
  const std::string path = folder.file("directory.snapshot");
  start = Clock::now();
  must(write_snapshot(path, {.version = whole.version}, documents, test_key(), random));
  std::printf("writing the snapshot: %.3f s\n", seconds_since(start));

  const SealingKey key = test_key();
  start = Clock::now();
  Snapshot snapshot = must(read_snapshot(path, key));
  DirectoryDelta delta{.extent = Extent::kWhole, .version = snapshot.state.version};
  for (auto& [kind, of_kind] : snapshot.documents) {
    for (auto& [name, document] : of_kind) delta.documents.push_back({kind, name, document});
  }
  DirectoryImage image(key);
  must(image.apply(delta));
  DirectoryPublisher publisher;
  const DirectoryRef directory = must(publisher.first(image, Service::kOpen));
  const double load = seconds_since(start);
  if (directory->tenants().size() != tenants) throw std::runtime_error("tenants are missing");
  std::printf("RATIO snapshot_megabytes_of_%zu_tenants %.2f <= 20\n", tenants,
              static_cast<double>(std::filesystem::file_size(path)) / 1e6);
  std::printf("RATIO snapshot_load_seconds_of_%zu_tenants %.3f <= 1\n", tenants, load);
}

void measure_propagation(ControlStore& store, const Size& size, const TimeSource& time,
                         Random& random) {
  std::vector<BenchNode> nodes = start_nodes(time, random);
  std::vector<std::pair<uint64_t, Clock::time_point>> changes;
  std::vector<double> change_seconds;
  for (size_t i = 0; i < size.changes; ++i) {
    const TenantId id = tenant_id(random.below(size.tenants));
    const auto start = Clock::now();
    const uint64_t version =
        must(store.change({.actor = "bench"}, [&](Change& change) -> Result<uint64_t> {
          auto set = set_tenant_state(
              change, id, i % 2 == 0 ? TenantStatus::kSuspended : TenantStatus::kReadOnly, false,
              {}, "tenant.bench");
          if (!set) return std::unexpected(set.error());
          auto rows = change.execute("SELECT version FROM partywall.head");
          if (!rows) return std::unexpected(rows.error());
          return static_cast<uint64_t>(rows->number(0));
        }));
    change_seconds.push_back(seconds_since(start));
    changes.emplace_back(version, Clock::now());  // committed
    std::this_thread::sleep_for(kBetweenChanges);
  }
  std::vector<double> delays;  // of each change, to the last node
  const auto deadline = Clock::now() + std::chrono::seconds(30);
  for (const auto& [version, committed] : changes) {
    double slowest = 0;
    for (BenchNode& node : nodes) {
      auto arrived = node.arrivals->of(version);
      while (!arrived && Clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        arrived = node.arrivals->of(version);
      }
      if (!arrived) throw std::runtime_error("a change did not arrive at a node within 30 s");
      slowest = std::max(slowest, std::chrono::duration<double>(*arrived - committed).count());
    }
    delays.push_back(slowest);
  }
  std::ranges::sort(delays);
  std::ranges::sort(change_seconds);
  std::printf("one change: median %.4f s\n", change_seconds[change_seconds.size() / 2]);
  std::printf("a change at all of %zu nodes: median %.3f s, most %.3f s\n", kNodes,
              delays[delays.size() / 2], delays.back());
  std::printf("RATIO change_at_%zu_nodes_of_%zu_tenants_p99_seconds %.3f <= 1\n", kNodes,
              size.tenants, delays[delays.size() * 99 / 100]);
}

int run(const Size& size) {
  SystemTime time;
  SystemRandom random;
  auto connection = postgres::Connection::open(test_connection()).value();
  must(migrate(connection));
  ControlStore store({.connection = test_connection(), .node_key = test_key()}, random);
  const DirectoryData data = platform(size.tenants);
  const auto start = Clock::now();
  must(store.change({.actor = "bench"},
                    [&](Change& change) { return import_directory(change, data); }));
  std::printf("importing %zu tenants: %.2f s\n", data.tenants.size(), seconds_since(start));
  measure_snapshot(store, size.tenants, random);
  measure_propagation(store, size, time, random);
  return 0;
}

}  // namespace
}  // namespace partywall::store

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: control_bench TENANTS CHANGES\n");
    return 2;
  }
  return partywall::store::run(
      {.tenants = std::stoull(words[1]), .changes = std::stoull(words[2])});
}
