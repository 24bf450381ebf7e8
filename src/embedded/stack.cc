#include "embedded/stack.h"

#include <filesystem>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/private_file.h"
#include "cache/provision.h"
#include "embedded/engine_host.h"
#include "embedded/run_command.h"
#include "embedded/shop.h"
#include "embedded/shop_database.h"
#include "embedded/tour/visitor.h"
#include "fleet/loop/operator_token.h"
#include "fleet/process/free_port.h"
#include "fleet/process/process_provider.h"
#include "identity/dev_issuer.h"

namespace partywall::embedded {
namespace {

constexpr const char* kIssuer = "https://partywall.localhost/dev";
constexpr const char* kAudience = "partywall";
constexpr Duration kTokenLifetime = hours(12);
constexpr Duration kShopPatience = minutes(1);
constexpr Duration kShopDrain = seconds(5);
constexpr Duration kShopDecisions = seconds(5);
constexpr Duration kEngineDrain = seconds(30);
constexpr Duration kKillTakes = seconds(10);
constexpr uint32_t kOtherConnections = 20;  // of PostgreSQL, beside those of the slot roles

Result<Endpoint> choose_endpoint(std::optional<uint16_t> wanted, uint16_t usual) {
  if (wanted && *wanted != 0) return Endpoint{"127.0.0.1", *wanted};
  if (!wanted && fleet::is_free_loopback_port(usual)) return Endpoint{"127.0.0.1", usual};
  const auto port = fleet::find_free_loopback_port();
  if (!port) return std::unexpected(port.error());
  return Endpoint{"127.0.0.1", *port};
}

// Before anything is started: a port that was asked for and is taken would be found only when the
// doors open.
Result<> check_ports(const StackSettings& settings) {
  for (const auto& [door, port] :
       {std::pair("http", settings.http_port), std::pair("sql", settings.sql_port),
        std::pair("cache", settings.cache_port), std::pair("admin", settings.admin_port)}) {
    if (!port || *port == 0 || fleet::is_free_loopback_port(*port)) continue;
    return fail(ErrorKind::kUnavailable,
                "port {} of 127.0.0.1 is taken; choose another one with --{}-port, or 0 for any",
                *port, door);
  }
  return {};
}

// The issuer of an earlier start, or a new one.
Result<DevIssuer> open_issuer(const SecretStore& secrets) {
  const std::string path = secrets.path(secret_files::kIssuerKey);
  auto pem = read_private_file(path);
  if (pem) return DevIssuer::from_pem(kIssuer, kAudience, Secret(*std::move(pem)));
  if (pem.error().kind != ErrorKind::kNotFound) return std::unexpected(pem.error());
  DevIssuer issuer = DevIssuer::generate(kIssuer, kAudience);
  if (auto written = write_private_file(path, issuer.private_key_pem().reveal()); !written) {
    return std::unexpected(written.error());
  }
  return issuer;
}

// The secrets that only the platform file refers to.
Result<> make_platform_secrets(SecretStore& secrets) {
  constexpr size_t kContextKeyBytes = 32;
  constexpr size_t kRegisterKeyBytes = 64;
  if (auto key = secrets.key(secret_files::kContextKey, kContextKeyBytes); !key)
    return std::unexpected(key.error());
  if (auto key = secrets.key(secret_files::kRegisterKey, kRegisterKeyBytes); !key)
    return std::unexpected(key.error());
  for (const auto name : {secret_files::kSlotPassword, secret_files::kOwnerPassword,
                          secret_files::kProvisionerPassword, secret_files::kDoorPassword,
                          secret_files::kTenantPassword}) {
    if (auto password = secrets.password(name); !password) return std::unexpected(password.error());
  }
  return {};
}

}  // namespace

struct Stack::Impl {
  Impl(const TimeSource& given_time, Random& given_random,
       std::function<void(std::string_view)> given_say, EngineUser given_user,
       DataDirectory given_directory)
      : time(given_time),
        random(given_random),
        say(std::move(given_say)),
        user(std::move(given_user)),
        directory(std::move(given_directory)),
        secrets(directory.file("secrets"), random) {}

  const TimeSource& time;
  Random& random;
  std::function<void(std::string_view)> say;
  EngineUser user;
  DataDirectory directory;
  SecretStore secrets;
  ShopFiles shop_files;
  std::string platform_path;
  std::string token_of(const DemoTenant& tenant) const;
  std::unique_ptr<DevIssuer> issuer;
  RunRecord record;
  std::mutex record_mutex;  // of the record's instances, and of the file
  std::unique_ptr<fleet::ProcessProvider> provider;
  Secret operator_token;
  fleet::FleetLoop* fleet = nullptr;   // while the application runs
  std::shared_ptr<void> record_watch;  // last: ends first

  Result<> start_engines();
  Result<> write_platform_file(const StackSettings& settings);
  Result<> start_shop(const DoorEndpoints& doors, fleet::FleetLoop& fleet_loop);
  Result<> wait_for_shop();
  Result<> write_record();
  void follow_instances();
  void remove_record();
  void remove_group(std::string_view group, Duration drain);
};

std::string Stack::Impl::token_of(const DemoTenant& tenant) const {
  const WallTime now = time.wall();
  return issuer->sign(
      {.tenant = tenant.id.value().to_string(),
       .subject = "demo",
       .issued_at = now,
       .expires_at = now + std::chrono::duration_cast<milliseconds>(kTokenLifetime)});
}

Result<> Stack::Impl::start_engines() {
  auto started = fleet::ProcessProvider::start({.directory = directory.file("fleet")}, time);
  if (!started) return std::unexpected(started.error());
  provider = *std::move(started);
  auto token = fleet::open_operator_token(directory.file("fleet"), random);
  if (!token) return std::unexpected(token.error());
  operator_token = *std::move(token);
  const EngineHost host{
      .directory = directory, .user = user, .secrets = secrets, .provider = *provider};
  if (user.is_other)
    say(fmt::format("PostgreSQL and Redis run as user {}, not as root", user.name));
  if (directory.engines_are_elsewhere()) {
    say(fmt::format("their data is in {}: user {} cannot enter {}", directory.engines(), user.name,
                    directory.path()));
  }
  say("starting PostgreSQL");
  auto postgresql = run_postgresql(host, kSlotCount + kOtherConnections);
  if (!postgresql) return std::unexpected(postgresql.error());
  record.postgresql = *std::move(postgresql);
  say("starting Redis");
  auto redis = run_redis(host);
  if (!redis) return std::unexpected(redis.error());
  record.redis = *std::move(redis);
  return {};
}

Result<> Stack::Impl::write_platform_file(const StackSettings& settings) {
  if (auto made = make_platform_secrets(secrets); !made) return made;
  auto opened = open_issuer(secrets);
  if (!opened) return std::unexpected(opened.error());
  issuer = std::make_unique<DevIssuer>(*std::move(opened));
  const auto key_set =
      write_private_file(secrets.path(secret_files::kIssuerKeySet), issuer->key_set());
  if (!key_set) return key_set;
  const auto http = choose_endpoint(settings.http_port, 8080);
  const auto sql = choose_endpoint(settings.sql_port, 6432);
  const auto cache = choose_endpoint(settings.cache_port, 6380);
  const auto admin = choose_endpoint(settings.admin_port, 9180);
  for (const auto* endpoint : {&http, &sql, &cache, &admin}) {
    if (!*endpoint) return std::unexpected(endpoint->error());
  }
  auto tenants = make_demo_tenants(secrets);
  if (!tenants) return std::unexpected(tenants.error());
  auto application = secrets.password("application");
  if (!application) return std::unexpected(application.error());
  auto migration = secrets.password("migration");
  if (!migration) return std::unexpected(migration.error());
  for (const DemoTenant& tenant : *tenants)
    record.tenants.push_back({.tenant = tenant, .token = token_of(tenant)});
  record.application_password = *application;
  record.migration_password = *migration;
  record.data_directory = directory.path();
  const auto text = write_platform({.workers = settings.workers,
                                    .http = *http,
                                    .sql = *sql,
                                    .cache = *cache,
                                    .admin = *admin,
                                    .access_log = "access.log",
                                    .postgresql = record.postgresql.endpoint,
                                    .redis = record.redis.endpoint,
                                    .tenants = *std::move(tenants),
                                    .application_password = *std::move(application),
                                    .migration_password = *std::move(migration),
                                    .issuer = kIssuer,
                                    .audience = kAudience},
                                   random);
  if (!text) return std::unexpected(text.error());
  platform_path = directory.file("platform.yaml");
  return write_private_file(platform_path, *text);
}

Result<> Stack::Impl::start_shop(const DoorEndpoints& doors, fleet::FleetLoop& fleet_loop) {
  const auto shop_user = EngineUser::choose_for_application();
  if (!shop_user) return std::unexpected(shop_user.error());
  const auto lent = lend_shop(shop_files, directory, *shop_user);
  if (!lent) return std::unexpected(lent.error());
  fleet::PoolKeeping keeping{.decision_interval = kShopDecisions, .drain_timeout = kShopDrain};
  keeping.scaling.bounds.min = kShopInstances;
  keeping.scaling.bounds.max = kMostShopInstances;
  auto kept = fleet_loop.keep({.cell = std::string(kCellName),
                               .pool = std::string(kPoolName),
                               .group = fleet::GroupName(std::string(kShopGroup)),
                               .spec = make_shop_spec(*lent,
                                                      {.sql = doors.sql,
                                                       .sql_user = std::string(kApplicationLogin),
                                                       .sql_password = record.application_password,
                                                       .database = std::string(kDatabaseName),
                                                       .cache = doors.cache},
                                                      *shop_user),
                               .keeping = std::move(keeping)});
  if (kept) fleet = &fleet_loop;
  return kept;
}

// Asks as the tenant with the larger rate, until the door has an answer and holds each instance for
// healthy: the tour kills one, and the requests then need the other.
Result<> Stack::Impl::wait_for_shop() {
  constexpr Duration kPause = milliseconds(200);
  Visitor visitor(record.http, record.tenants.back().token);
  std::string last;
  for (Duration waited{}; waited < kShopPatience; waited += kPause) {
    const auto answer = visitor.get("/api/products?limit=1");
    const size_t healthy = count_healthy_instances(record.admin);
    if (answer.status == 200 && healthy >= kShopInstances) return {};
    last = fmt::format("{} {} ({} of {} instances healthy)", answer.status, answer.body, healthy,
                       kShopInstances);
    std::this_thread::sleep_for(kPause);
  }
  return fail(ErrorKind::kTimeout, "the shop does not answer; the door's last answer: {}{}", last,
              last_lines(directory.file("fleet/shop-1.log")));
}

Result<> Stack::Impl::write_record() {
  const fleet::GroupName group{std::string(kShopGroup)};
  const std::lock_guard lock(record_mutex);
  record.instances = provider->observe(group).value_or(std::vector<fleet::ObservedInstance>());
  return write_private_file(directory.file("run.json"), write_run_record(record));
}

// An instance that was started again has another process: whoever reads run.json wants that.
void Stack::Impl::follow_instances() {
  record_watch = provider->watch([this](const fleet::GroupName& group) {
    if (group.value() != kShopGroup) return;
    if (const auto written = write_record(); !written) {
      log_warning("run.json does not have the instances as they are now",
                  {{"error", written.error().message}});
    }
  });
}

void Stack::Impl::remove_record() {
  std::error_code ignored;
  std::filesystem::remove(directory.file("run.json"), ignored);
}

void Stack::Impl::remove_group(std::string_view group, Duration drain) {
  const auto observed = provider->observe(fleet::GroupName(std::string(group)));
  if (!observed) return;
  std::vector<fleet::InstanceId> ids;
  for (const fleet::ObservedInstance& instance : *observed) ids.push_back(instance.id);
  auto removed = provider->remove(ids, drain);
  if (removed) removed = provider->wait_until_gone(ids, drain + kKillTakes);
  if (!removed) {
    log_error("not everything could be stopped",
              {{"group", group}, {"error", removed.error().message}});
  }
}

Stack::Stack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stack::~Stack() { stop(); }

Result<std::unique_ptr<Stack>> Stack::start(const StackSettings& settings, const TimeSource& time,
                                            Random& random,
                                            std::function<void(std::string_view)> say) {
  if (auto usable = check_ports(settings); !usable) return std::unexpected(usable.error());
  auto files = find_shop();
  if (!files) return std::unexpected(files.error());
  auto user = EngineUser::choose();
  if (!user) return std::unexpected(user.error());
  auto directory = DataDirectory::open(settings.data_directory, *user, random);
  if (!directory) return std::unexpected(directory.error());
  std::unique_ptr<Stack> stack(new Stack(std::make_unique<Impl>(
      time, random, std::move(say), *std::move(user), *std::move(directory))));
  stack->impl_->shop_files = *std::move(files);
  stack->impl_->remove_record();  // of one that crashed
  if (auto started = stack->impl_->start_engines(); !started)
    return std::unexpected(started.error());
  if (auto written = stack->impl_->write_platform_file(settings); !written)
    return std::unexpected(written.error());
  return stack;
}

const std::string& Stack::platform_file() const { return impl_->platform_path; }

Result<> Stack::prepare_cell(const Directory& directory) {
  const Cell* cell = directory.find_cell(kCellName);
  if (!cell) return fail(ErrorKind::kInternal, "the platform file has no cell '{}'", kCellName);
  impl_->say("preparing the database and the users of Redis");
  const RedisServer& redis = impl_->record.redis;
  const auto provisioned = cache::provision_redis(
      cell->cache, cell->cache.instances.front(),
      {.user = redis.administrator, .password = redis.password}, directory.tenants());
  if (!provisioned) return provisioned;
  return prepare_shop_database(impl_->record.postgresql, cell->sql, impl_->shop_files,
                               impl_->random);
}

fleet::Provider& Stack::provider() { return *impl_->provider; }

const Secret& Stack::operator_token() const { return impl_->operator_token; }

Result<> Stack::open_shop(const DoorEndpoints& doors, fleet::FleetLoop& fleet) {
  Impl& stack = *impl_;
  stack.record.http = doors.http;
  stack.record.sql = doors.sql;
  stack.record.cache = doors.cache;
  stack.record.admin = doors.admin;
  std::vector<DemoTenant> tenants;
  for (const TourTenant& entry : stack.record.tenants) tenants.push_back(entry.tenant);
  stack.say("seeding both tenants through the sql door");
  if (auto seeded = seed_shop(doors.sql, tenants, stack.shop_files); !seeded) return seeded;
  stack.say("starting the example application");
  if (auto started = stack.start_shop(doors, fleet); !started) return started;
  if (auto answers = stack.wait_for_shop(); !answers) return answers;
  if (auto written = stack.write_record(); !written) return written;
  stack.follow_instances();
  return {};
}

std::string Stack::describe() const { return describe_run(impl_->record); }

bool Stack::tour(const std::function<bool()>& must_end, std::FILE* out) {
  const RunRecord& record = impl_->record;
  return run_tour({.http = record.http,
                   .sql = record.sql,
                   .cache = record.cache,
                   .database = std::string(kDatabaseName),
                   .small = record.tenants.front(),
                   .large = record.tenants.back(),
                   .provider = *impl_->provider,
                   .group = fleet::GroupName(std::string(kShopGroup)),
                   .must_end = must_end},
                  out);
}

void Stack::stop() {
  if (!impl_->provider) return;
  impl_->record_watch.reset();
  impl_->remove_record();
  if (impl_->fleet) {
    if (const auto ended = impl_->fleet->end_all(kShopDrain); !ended)
      log_error("the application could not be stopped", {{"error", ended.error().message}});
    impl_->fleet = nullptr;
  }
  impl_->remove_group(kShopGroup, kShopDrain);  // that of a start that was broken off
  impl_->remove_group(kRedisGroup, kEngineDrain);
  impl_->remove_group(kPostgresqlGroup, kEngineDrain);
  impl_->provider.reset();
}

}  // namespace partywall::embedded
