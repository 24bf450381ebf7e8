#include "store/control/directory_follower.h"

#include <algorithm>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "store/control/snapshot_file.h"

namespace partywall::store {
namespace {

// Notifications come in bursts, and anybody who may connect to the database can send them: between
// two looks there is a pause, of several times what the last directory took to build.
constexpr Duration kShortestPause = milliseconds(10);
constexpr Duration kLongestPause = milliseconds(250);
constexpr int kPauseFactor = 4;

}  // namespace

DirectoryFollower::DirectoryFollower(FollowerSettings settings, const TimeSource& time,
                                     Random& random)
    : settings_(std::move(settings)),
      time_(time),
      random_(random),
      store_(settings_.store, random),
      image_(settings_.store.node_key),
      started_at_(time.wall()),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

DirectoryFollower::~DirectoryFollower() { stop(); }

Result<std::unique_ptr<DirectoryFollower>> DirectoryFollower::start(FollowerSettings settings,
                                                                    const TimeSource& time,
                                                                    Random& random) {
  settings.store.listen_to = "partywall_directory";
  std::unique_ptr<DirectoryFollower> follower(
      new DirectoryFollower(std::move(settings), time, random));
  if (auto loaded = follower->load_first(); !loaded) return std::unexpected(loaded.error());
  return follower;
}

Result<> DirectoryFollower::load_first() {
  load_snapshot();
  const bool has_snapshot = !image_.documents().empty();
  auto session = store_.session();
  auto caught_up = session ? catch_up(*session) : std::unexpected(session.error());
  if (!caught_up && !has_snapshot) return std::unexpected(caught_up.error());
  if (!caught_up) {
    set_problem(caught_up.error().message);
    log_warning("the control store cannot be used; starting from the snapshot on disk",
                {{"version", image_.version().version}, {"error", caught_up.error().message}});
  }
  if (caught_up) confirm();
  service_ = wanted_service();
  auto directory = publisher_.first(image_, service_);
  if (!directory) return std::unexpected(directory.error());
  first_ = *std::move(directory);
  published_ = image_.version();
  save_snapshot(Urgency::kWhenDue);
  const std::scoped_lock lock(mutex_);
  status_.is_closed = service_ == Service::kClosed;
  return {};
}

void DirectoryFollower::load_snapshot() {
  if (settings_.snapshot_file.empty()) return;
  auto snapshot = read_snapshot(settings_.snapshot_file, settings_.store.node_key);
  if (!snapshot) {
    if (snapshot.error().kind != ErrorKind::kNotFound)
      log_error("the snapshot on disk is not used", {{"error", snapshot.error().message}});
    return;
  }
  DirectoryDelta delta{.extent = Extent::kWhole, .version = snapshot->state.version};
  for (auto& [kind, documents] : snapshot->documents) {
    for (auto& [key, document] : documents)
      delta.documents.push_back({.kind = kind, .key = key, .document = std::move(document)});
  }
  if (auto applied = image_.apply(delta); !applied) {
    log_error("the snapshot on disk is not used", {{"error", applied.error().message}});
    return;
  }
  const auto age = std::max(time_.wall() - snapshot->state.confirmed_at, milliseconds(0));
  saved_version_ = snapshot->state.version;
  saved_at_ = time_.monotonic() - age;
  const std::scoped_lock lock(mutex_);
  confirmed_at_ = time_.monotonic() - age;
  status_.version = snapshot->state.version.version;
}

Result<> DirectoryFollower::catch_up(Session& session) {
  std::optional<DirectoryDelta> delta;
  if (image_.version().incarnation.empty()) {
    auto whole = read_whole_directory(session);
    if (!whole) return std::unexpected(whole.error());
    delta = *std::move(whole);
  } else {
    auto changes = read_directory_changes(session, image_.version());
    if (!changes) return std::unexpected(changes.error());
    delta = *std::move(changes);
  }
  return delta ? image_.apply(*delta) : Result<>();
}

void DirectoryFollower::confirm() {
  const std::scoped_lock lock(mutex_);
  confirmed_at_ = time_.monotonic();
  status_.version = image_.version().version;
  status_.is_connected = true;
  status_.problem.clear();
}

void DirectoryFollower::set_problem(std::string problem) {
  const std::scoped_lock lock(mutex_);
  status_.is_connected = false;
  status_.problem = std::move(problem);
}

DirectorySourceStatus DirectoryFollower::status() const {
  const std::scoped_lock lock(mutex_);
  DirectorySourceStatus status = status_;
  status.age = time_.monotonic() - confirmed_at_;
  return status;
}

Service DirectoryFollower::wanted_service() const {
  if (!settings_.max_staleness) return Service::kOpen;
  return status().age > *settings_.max_staleness ? Service::kClosed : Service::kOpen;
}

void DirectoryFollower::follow(DirectoryFeed& feed) {
  thread_ = std::thread([this, &feed] { run(feed); });
}

void DirectoryFollower::wake() {
  const uint64_t one = 1;
  (void)!::write(wake_.number(), &one, sizeof one);  // full: it is awake already
}

void DirectoryFollower::stop() {
  stopping_ = true;
  wake();
  if (!thread_.joinable()) return;
  thread_.join();
  save_snapshot(Urgency::kAtTheEnd);
}

void DirectoryFollower::run(DirectoryFeed& feed) {
  uint32_t failures = 0;
  std::optional<ErrorKind> said;  // why; a store that cannot be reached may come back gone back
  while (!stopping_) {
    const auto looked = look(feed);
    if (looked) {
      failures = 0;
      said.reset();
      pause(std::clamp(publish_time_ * kPauseFactor, kShortestPause, kLongestPause));
      continue;
    }
    ++failures;
    if (std::exchange(said, looked.error().kind) != looked.error().kind)
      log_warning("the control store cannot be followed; this node serves what it has",
                  {{"version", image_.version().version}, {"error", looked.error().message}});
    set_problem(looked.error().message);
    enforce_staleness(feed);
    pause(spread_backoff_pause(settings_.reconnect, failures, random_));
  }
}

// Reads and publishes what is new, then waits for more.
Result<> DirectoryFollower::look(DirectoryFeed& feed) {
  auto session = store_.session();
  if (!session) return std::unexpected(session.error());
  if (auto caught_up = catch_up(*session); !caught_up) return caught_up;
  if (auto published = publish_if_needed(feed); !published) return published;
  confirm();
  save_snapshot(Urgency::kWhenDue);
  if (auto reported = report(*session); !reported) return reported;
  const auto notified =
      session->connection().wait_for_notifications(settings_.poll_interval, wake_.number());
  if (!notified) return std::unexpected(Error(notified.error()));
  return {};
}

Result<> DirectoryFollower::publish_if_needed(DirectoryFeed& feed) {
  if (published_ == image_.version() && service_ == Service::kOpen) return {};
  const MonotonicTime begun = time_.monotonic();
  if (auto published = publisher_.publish(image_, Service::kOpen, feed); !published)
    return published;
  publish_time_ = time_.monotonic() - begun;
  published_ = image_.version();
  service_ = Service::kOpen;
  const std::scoped_lock lock(mutex_);
  status_.is_closed = false;
  return {};
}

void DirectoryFollower::enforce_staleness(DirectoryFeed& feed) {
  if (service_ == Service::kClosed || wanted_service() == Service::kOpen) return;
  if (auto closed = publisher_.publish(image_, Service::kClosed, feed); !closed) {
    log_error("a directory that is too old cannot be closed", {{"error", closed.error().message}});
    return;
  }
  service_ = Service::kClosed;
  log_error("the directory is older than directory.max_staleness: no tenant is served",
            {{"version", image_.version().version}});
  const std::scoped_lock lock(mutex_);
  status_.is_closed = true;
}

void DirectoryFollower::save_snapshot(Urgency urgency) {
  const DirectorySourceStatus now = status();
  if (settings_.snapshot_file.empty() || (urgency == Urgency::kWhenDue && !now.is_connected))
    return;
  const bool is_changed = image_.version() != saved_version_;
  const Duration pause = urgency == Urgency::kAtTheEnd ? Duration::zero()
                         : is_changed                  ? settings_.snapshot_pause
                                                       : settings_.snapshot_interval;
  if (time_.monotonic() - saved_at_ < pause || (urgency == Urgency::kAtTheEnd && !is_changed))
    return;
  const auto age = std::chrono::duration_cast<milliseconds>(now.age);
  const auto written = write_snapshot(
      settings_.snapshot_file, {.version = image_.version(), .confirmed_at = time_.wall() - age},
      image_.documents(), settings_.store.node_key, random_);
  // What cannot be written now is not tried again with each change.
  saved_at_ = time_.monotonic();
  saved_version_ = image_.version();
  if (!written) {
    log_error("the snapshot cannot be written: this node could not start without the store",
              {{"error", written.error().message}});
  }
}

Result<> DirectoryFollower::report(Session& session) {
  const bool is_due = time_.monotonic() - reported_at_ >= settings_.poll_interval;
  if (!is_due && reported_version_ == image_.version().version) return {};
  const auto reported = session.execute(
      "INSERT INTO partywall.nodes (name, directory_version, release, started_at) "
      "VALUES ($1, $2::bigint, $3, to_timestamp($4::bigint / 1000.0)) ON CONFLICT (name) "
      "DO UPDATE SET directory_version = excluded.directory_version, release = excluded.release, "
      "started_at = excluded.started_at, seen_at = now()",
      {settings_.node_name, std::to_string(image_.version().version), settings_.release,
       to_parameter(started_at_)});
  if (!reported) return std::unexpected(reported.error());
  reported_at_ = time_.monotonic();
  reported_version_ = image_.version().version;
  return {};
}

void DirectoryFollower::pause(Duration duration) {
  if (stopping_) return;
  pollfd waiting{.fd = wake_.number(), .events = POLLIN, .revents = 0};
  const auto whole = std::chrono::ceil<milliseconds>(duration).count();
  // After a wake() of stop() it stays readable; otherwise wait_for_notifications() empties it.
  (void)::poll(&waiting, 1, static_cast<int>(whole));
}

Result<std::unique_ptr<DirectoryFollower>> follow_control_store(const ControlStoreOptions& options,
                                                                std::string_view release,
                                                                const TimeSource& time,
                                                                Random& random) {
  auto settings = to_settings(options);
  if (!settings) return std::unexpected(settings.error());
  return DirectoryFollower::start({.store = *std::move(settings),
                                   .node_name = options.node_name,
                                   .release = std::string(release),
                                   .snapshot_file = options.snapshot_file,
                                   .max_staleness = options.max_staleness},
                                  time, random);
}

}  // namespace partywall::store
