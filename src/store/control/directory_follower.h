#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/backoff.h"
#include "base/file_descriptor.h"
#include "base/time.h"
#include "store/control/control_store.h"
#include "store/control/directory_image.h"
#include "store/control/directory_publisher.h"
#include "store/control/follower_status.h"
#include "store/control_store_options.h"

namespace partywall::store {

struct FollowerSettings {
  ControlStoreSettings store;
  std::string node_name;                     // what this node reports as
  std::string release;                       // of the binary
  std::string snapshot_file;                 // empty: none is kept
  std::optional<Duration> max_staleness;     // older than this: no tenant is served; none: never
  Duration poll_interval = seconds(5);       // a look at the store, also without a notification
  Duration snapshot_pause = seconds(5);      // between two snapshots of a directory that changes
  Duration snapshot_interval = minutes(10);  // a directory that stays is confirmed so often
  BackoffSettings reconnect{.first = milliseconds(200), .longest = seconds(5)};
};

// Keeps the directory of a node what the control store says, on a thread of its own: it waits for
// notifications, reads what has changed, builds the next directory and hands it to the feed. While
// the store cannot be reached the node serves the last one.
class DirectoryFollower final : public DirectorySource {
 public:
  // With the first directory: what the snapshot on disk has, brought up to date from the store; one
  // of the two is enough. `time` and `random` outlive the follower.
  static Result<std::unique_ptr<DirectoryFollower>> start(FollowerSettings settings,
                                                          const TimeSource& time, Random& random);
  ~DirectoryFollower() override;

  [[nodiscard]] const DirectoryRef& first() const { return first_; }
  // From now on publishes to the feed, which outlives the follower or its stop().
  void follow(DirectoryFeed& feed);
  // Looks now.
  void wake();
  void stop();

  [[nodiscard]] DirectorySourceStatus status() const override;

 private:
  DirectoryFollower(FollowerSettings settings, const TimeSource& time, Random& random);

  Result<> load_first();
  void load_snapshot();
  Result<> catch_up(Session& session);
  Result<> publish_if_needed(DirectoryFeed& feed);
  enum class Urgency : uint8_t { kWhenDue, kAtTheEnd };
  void save_snapshot(Urgency urgency);
  Result<> report(Session& session);
  void run(DirectoryFeed& feed);
  Result<> look(DirectoryFeed& feed);
  void enforce_staleness(DirectoryFeed& feed);
  void pause(Duration duration);
  [[nodiscard]] Service wanted_service() const;
  void confirm();
  void set_problem(std::string problem);

  FollowerSettings settings_;
  const TimeSource& time_;
  Random& random_;
  ControlStore store_;
  DirectoryImage image_;
  DirectoryPublisher publisher_;
  DirectoryRef first_;
  StoreVersion published_;
  Service service_ = Service::kOpen;  // of what was published
  WallTime started_at_;
  StoreVersion saved_version_;  // on disk
  MonotonicTime saved_at_{};
  MonotonicTime reported_at_{};
  uint64_t reported_version_ = 0;
  Duration publish_time_{};  // of the last one

  mutable std::mutex mutex_;  // guards what follows
  DirectorySourceStatus status_;
  MonotonicTime confirmed_at_{};

  std::atomic<bool> stopping_{false};
  FileDescriptor wake_;  // an eventfd
  std::thread thread_;
};

// A follower as the platform file wants it.
Result<std::unique_ptr<DirectoryFollower>> follow_control_store(const ControlStoreOptions& options,
                                                                std::string_view release,
                                                                const TimeSource& time,
                                                                Random& random);

}  // namespace partywall::store
