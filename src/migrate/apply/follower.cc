#include "migrate/apply/follower.h"

#include <algorithm>

#include <fmt/format.h>
#include <poll.h>

#include "migrate/apply/read_stream_tables.h"
#include "migrate/apply/table_watch.h"

namespace partywall::migrate {
namespace {

constexpr size_t kFramesAtOnce = 256;
// How often a source that has nothing to send is asked how far it has looked.
constexpr Duration kAskInterval = milliseconds(20);
// How much of the source's log that is not for the target passes before the target notes that. Less
// would let streams in both directions keep each other awake: each note is log for the other.
constexpr uint64_t kMarkGap = uint64_t{1} << 20;

int milliseconds_of(Duration duration) {
  return static_cast<int>(std::chrono::ceil<milliseconds>(duration).count());
}

}  // namespace

Result<std::unique_ptr<Follower>> Follower::open(const FollowSettings& settings,
                                                 const StreamPlan& plan, FollowListener& listener,
                                                 const TimeSource& time) {
  std::unique_ptr<Follower> follower(new Follower(settings, plan, listener, time));
  if (auto connected = follower->connect(); !connected) return std::unexpected(connected.error());
  return follower;
}

Result<> Follower::connect() {
  auto target = TargetSession::open({.connection = settings_.stream.target, .origin = plan_.name},
                                    [this](const TransactionEnd& end) { on_applied(end); });
  if (!target) return std::unexpected(target.error());
  target_.emplace(*std::move(target));
  auto questions = postgres::Connection::open(settings_.stream.source);
  if (!questions) return fail_with_context("source", questions.error());
  questions_.emplace(*std::move(questions));
  // Names of types are qualified as those of the target are.
  if (auto set = questions_->execute("SET search_path = pg_catalog"); !set)
    return fail_with_context("source", set.error());
  auto source = postgres::ReplicationConnection::open(settings_.stream.source);
  if (!source) return fail_with_context("source", source.error());
  source_.emplace(*std::move(source));
  received_ = applied_ = target_->applied_at_start();
  // Logical messages are known to pgoutput from PostgreSQL 14 on.
  const bool has_messages = source_->server_version() >= 140000;
  const auto started = source_->start(fmt::format(
      "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names '{}'{})",
      postgres::quote_identifier(plan_.name), to_string(received_),
      postgres::quote_identifier(plan_.name), has_messages ? ", messages 'true'" : ""));
  if (!started) {
    const bool is_busy = started.error().sqlstate == "55006";
    return fail_with_context(
        "source", {is_busy ? ErrorKind::kConflict : started.error().kind, started.error().message});
  }
  applier_.emplace(
      ApplierSettings{
          .tenant = plan_.tenant, .skipped_origin = plan_.reverse_name, .begins = plan_.begins},
      plan_.target_tables,
      [this](uint32_t type, int32_t modifier) -> Result<std::string> {
        const auto text = questions_->execute("SELECT pg_catalog.format_type($1::oid, $2::int4)",
                                              {std::to_string(type), std::to_string(modifier)});
        if (!text) return fail_with_context("source", text.error());
        return std::string(text->text(0));
      },
      *target_);
  reported_at_ = tables_checked_at_ = time_.monotonic();
  return {};
}

ServerTime Follower::now() const {
  return to_server_time(
      std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now()));
}

void Follower::on_applied(const TransactionEnd& end) {
  applied_ = end.end;
  lag_.applied(end.committed_at, now());
  for (const std::string& fence : end.fences) listener_.on_fence(fence, end.commit);
}

bool Follower::is_settled() const { return target_->is_idle() && !applier_->in_transaction(); }

Result<FollowEnd> Follower::run(std::optional<Lsn> until) {
  Input input = Input::kMore;
  while (true) {
    if (input != Input::kReached) {
      auto taken = take_input(until);
      if (!taken) {
        // What is whole belongs into the target, whatever is wrong with what came after it.
        if (auto settled = target_->finish_transactions(); !settled)
          return std::unexpected(settled.error());
        return std::unexpected(taken.error());
      }
      input = *taken;
    }
    if (auto pushed = target_->push(); !pushed) return std::unexpected(pushed.error());
    if (auto read = target_->read(); !read) return std::unexpected(read.error());
    if (input == Input::kReached && is_settled()) {
      if (time_.monotonic() - reported_at_ >= settings_.least_between_reports) {
        if (auto reported = report(); !reported) return std::unexpected(reported.error());
      } else if (reply_is_wanted_) {
        if (auto sent = send_status(ReplyWish::kNone); !sent) return std::unexpected(sent.error());
      }
      return FollowEnd::kReached;
    }
    const MonotonicTime time = time_.monotonic();
    if (time - reported_at_ >= settings_.status_interval) {
      if (auto reported = report(); !reported) return std::unexpected(reported.error());
    }
    if (reply_is_wanted_) {
      // A source that shuts down waits until everything that it has sent is confirmed.
      if (auto marked = mark(0); !marked) return std::unexpected(marked.error());
      if (auto sent = send_status(ReplyWish::kNone); !sent) return std::unexpected(sent.error());
    } else if (until && input == Input::kDry && time - asked_at_ >= kAskInterval) {
      asked_at_ = time;
      if (auto sent = send_status(ReplyWish::kAtOnce); !sent) return std::unexpected(sent.error());
    }
    const Duration longest = until ? kAskInterval : settings_.status_interval;
    const auto is_woken = wait(input, longest);
    if (!is_woken) return std::unexpected(is_woken.error());
    if (*is_woken) return FollowEnd::kWoken;
  }
}

Result<Follower::Input> Follower::take_input(std::optional<Lsn> until) {
  if (!held_.empty()) {
    const std::string payload = std::exchange(held_, {});
    auto taken = take_data(payload, until);
    if (!taken || *taken == Input::kReached) return taken;
  }
  for (size_t i = 0; i < kFramesAtOnce; ++i) {
    if (!target_->has_room()) return Input::kMore;
    const auto frame = source_->receive();
    if (!frame) return fail_with_context("source", frame.error());
    if (!*frame) {
      // It is already where it should get to, and nothing of that was for us.
      if (until && has_reached(received_, *until) && !applier_->in_transaction())
        return Input::kReached;
      return Input::kDry;
    }
    auto taken = take_frame(**frame, until);
    if (!taken || *taken == Input::kReached) return taken;
  }
  return Input::kMore;
}

Result<Follower::Input> Follower::take_frame(std::string_view bytes, std::optional<Lsn> until) {
  const auto frame = decode_replication_frame(bytes);
  if (!frame) return std::unexpected(frame.error());
  if (const auto* const keepalive = std::get_if<Keepalive>(&*frame)) {
    lag_.saw_source_time(keepalive->sent_at, now());
    reply_is_wanted_ = reply_is_wanted_ || keepalive->wants_reply;
    received_ = std::max(received_, keepalive->end);
    return Input::kMore;
  }
  const auto& data = std::get<XLogData>(*frame);
  lag_.saw_source_time(data.sent_at, now());
  return take_data(data.payload, until);
}

Result<Follower::Input> Follower::take_data(std::string_view payload, std::optional<Lsn> until) {
  if (auto decoded = pgoutput::decode(payload, message_); !decoded)
    return std::unexpected(decoded.error());
  if (const auto* const begin = std::get_if<pgoutput::Begin>(&message_);
      begin != nullptr && until && begin->commit >= *until) {
    held_ = payload;
    return Input::kReached;
  }
  if (auto taken = applier_->take(message_); !taken) return std::unexpected(taken.error());
  if (const auto* const commit = std::get_if<pgoutput::Commit>(&message_))
    received_ = std::max(received_, commit->end);
  return Input::kMore;
}

// What was confirmed once the source never sends again: so it is only what the target, too, would
// remember after a crash.
Result<> Follower::send_status(ReplyWish reply) {
  const Lsn flushed = target_->durable();
  reply_is_wanted_ = false;
  auto sent = source_->send(encode_standby_status({.received = received_,
                                                   .flushed = flushed,
                                                   .applied = flushed,
                                                   .now = now(),
                                                   .reply = reply}));
  if (!sent) return fail_with_context("source", sent.error());
  return {};
}

// What the source has shown and the target had no part in counts as applied once nothing is under
// way, and the target notes it: so the source's log does not pile up because of other databases.
Result<> Follower::mark(uint64_t gap) {
  if (!is_settled() || received_.value <= target_->committed().value + gap) return {};
  if (auto marked = target_->mark(received_, now()); !marked) return marked;
  return target_->prepare_to_rest();
}

Result<> Follower::report() {
  const MonotonicTime time = time_.monotonic();
  const auto lsn = questions_->execute("SELECT pg_catalog.pg_current_wal_lsn()");
  if (!lsn) return fail_with_context("source", lsn.error());
  if (const auto parsed = parse_lsn(lsn->text(0))) source_lsn_ = *parsed;
  // A source that has nothing to send says only when it is asked how far it has looked.
  if (auto sent = send_status(ReplyWish::kAtOnce); !sent) return sent;
  const Lsn applied =
      is_settled() ? std::max(applied_, received_) : std::max(applied_, target_->committed());
  if (auto marked = mark(kMarkGap); !marked) return marked;
  if (auto asked = target_->prepare_to_rest(); !asked) return asked;
  const uint64_t changes = applier_->counts().applied();
  listener_.on_status({.applied = applied,
                       .durable = target_->durable(),
                       .source = source_lsn_,
                       .changes = applier_->counts(),
                       .lag = lag_.take_summary(),
                       .interval = time - reported_at_,
                       .changes_applied = changes - changes_reported_,
                       .in_transaction = applier_->in_transaction()});
  changes_reported_ = changes;
  reported_at_ = time;
  if (time - tables_checked_at_ < settings_.table_check_interval) return {};
  tables_checked_at_ = time;
  return check_tables();
}

Result<> Follower::check_tables() {
  const auto now = read_table_roots(*questions_);
  if (!now) return fail_with_context("source", now.error());
  const auto published = read_published_tables(*questions_, plan_.name);
  if (!published) return fail_with_context("source", published.error());
  return check_followed({.source = plan_.source_tables,
                         .published = plan_.publication.tables,
                         .left_out = settings_.stream.left_out},
                        *now, *published);
}

Result<bool> Follower::wait(Input input, Duration longest) {
  const bool reads_source = input != Input::kReached && target_->has_room();
  // There may be more in libpq's memory than the socket shows.
  const int timeout = input == Input::kMore && reads_source ? 0 : milliseconds_of(longest);
  std::vector<pollfd> sources;
  for (const int wake : settings_.wake_descriptors)
    sources.push_back({.fd = wake, .events = POLLIN, .revents = 0});
  sources.push_back(
      {.fd = target_->socket(),
       .events = static_cast<short>(POLLIN | (target_->wants_to_write() ? POLLOUT : 0)),
       .revents = 0});
  sources.push_back({.fd = reads_source ? source_->socket() : -1, .events = POLLIN, .revents = 0});
  (void)::poll(sources.data(), sources.size(), timeout);
  return std::any_of(sources.begin(), sources.end() - 2,
                     [](const pollfd& wake) { return wake.revents != 0; });
}

}  // namespace partywall::migrate
