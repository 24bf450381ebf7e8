#include "store/usage/usage_reporter.h"

#include "base/log.h"

namespace partywall::store {
namespace {

// The end of a node waits for it.
constexpr Duration kAnswerTimeout = seconds(5);

}  // namespace

UsageReporter::UsageReporter(UsageReporterSettings settings, UsageSpool spool,
                             const UsageRegistry& usage, const DirectoryFeed& directory,
                             const TimeSource& time, Random& random)
    : settings_(std::move(settings)),
      spool_(std::move(spool)),
      usage_(usage),
      directory_(directory),
      time_(time),
      store_(settings_.store, random),
      ledger_(Uuid::random(random), time.wall()),
      waiting_(spool_.size()) {}

Result<std::unique_ptr<UsageReporter>> UsageReporter::start(UsageReporterSettings settings,
                                                            const UsageRegistry& usage,
                                                            const DirectoryFeed& directory,
                                                            const TimeSource& time,
                                                            Random& random) {
  auto spool = UsageSpool::open(settings.spool);
  if (!spool) return std::unexpected(spool.error());
  settings.store.connection.answer_timeout = kAnswerTimeout;
  settings.store.connection.statement_timeout = kAnswerTimeout;
  std::unique_ptr<UsageReporter> reporter(
      new UsageReporter(std::move(settings), *std::move(spool), usage, directory, time, random));
  reporter->thread_ = std::thread([reporter = reporter.get()] { reporter->run(); });
  return reporter;
}

UsageReporter::~UsageReporter() { stop(); }

void UsageReporter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void UsageReporter::finish() {
  stop();
  take(Part::kLast);
}

void UsageReporter::run() {
  std::unique_lock lock(mutex_);
  while (!woken_.wait_for(lock, settings_.interval, [this] { return stopping_; })) {
    lock.unlock();
    take(Part::kUsual);
    lock.lock();
  }
}

void UsageReporter::take(Part part) {
  UsageInterval interval =
      ledger_.take(*directory_.current(), usage_, time_.wall(), part == Part::kLast);
  const auto put = spool_.put({.node = settings_.node_name, .interval = std::move(interval)});
  if (!put) {
    log_error("an interval of usage cannot be written: it is lost if this process ends",
              {{"error", put.error().message}});
  }
  const uint64_t lost_before = spool_.lost();
  spool_.drop_before(time_.wall() - std::chrono::duration_cast<milliseconds>(settings_.keep));
  const auto sent = send();
  if (!sent && !is_failing_) {
    log_warning("usage cannot be handed to the control store; it waits",
                {{"intervals", spool_.size()}, {"error", sent.error().message}});
  }
  is_failing_ = !sent;
  if (spool_.lost() > lost_before) {
    log_error(
        "usage was lost: the control store was away for longer than usage.keep, or the spool "
        "is damaged",
        {{"intervals", spool_.lost() - lost_before}});
  }
  waiting_ = spool_.size();
  lost_ = spool_.lost();
}

Result<> UsageReporter::send() {
  while (const auto report = spool_.first()) {
    auto session = store_.session();
    if (!session) return std::unexpected(session.error());
    const auto recorded = record_usage(*session, *report);
    if (!recorded) return std::unexpected(recorded.error());
    spool_.remove_first();
    ++sent_;
  }
  return {};
}

void UsageReporter::write_metrics(MetricWriter& writer) const {
  writer.family({"partywall_usage_intervals_sent", MetricType::kCounter,
                 "Intervals of usage that the control store has taken"});
  writer.sample(sent_.load());
  writer.family({"partywall_usage_intervals_waiting", MetricType::kGauge,
                 "Intervals of usage that it has not taken yet"});
  writer.sample(waiting_.load());
  writer.family({"partywall_usage_intervals_lost", MetricType::kCounter,
                 "Intervals of usage that were too old or unreadable"});
  writer.sample(lost_.load());
}

}  // namespace partywall::store
