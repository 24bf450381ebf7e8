#include <cassert>

#include <fmt/format.h>

#include "base/ascii.h"
#include "cache/commands/command_rule.h"
#include "cache/keyspace_work.h"
#include "cache/prefix/key_prefix.h"
#include "cache/prefix/key_rewriter.h"
#include "cache/session_fsm.h"

// What is different in prefix mode: keys get the tenant's prefix, and commands about all keys
// become jobs of several steps.
namespace partywall::cache {
namespace {

constexpr size_t kKeptRewrittenBytes = 64UL << 10;

bool has_wrong_arity(const Request& request, const CommandRule& rule) {
  const auto count = static_cast<int64_t>(request.argument_count);
  return rule.arity >= 0 ? count != rule.arity : count < -rule.arity;
}

bool is_known_flush(const Request& request) {
  return request.argument_count == 1 ||
         (request.argument_count == 2 && (equal_ignoring_case(request.first, "async") ||
                                          equal_ignoring_case(request.first, "sync")));
}

std::unique_ptr<KeyspaceJob> make_job(const Request& request, const CommandRule& rule,
                                      const std::string& prefix, Random& random) {
  if (rule.kind == CommandKind::kFlush) return std::make_unique<RemoveKeys>(ScanWalk(prefix, "*"));
  if (rule.name == "keys") return std::make_unique<ListKeys>(prefix, request.first);
  if (rule.name == "scan") return std::make_unique<ScanStep>(prefix, request);
  if (rule.name == "randomkey") return std::make_unique<PickRandomKey>(prefix, random);
  return std::make_unique<CountKeys>(prefix, random);  // DBSIZE, and INFO tells it too
}

}  // namespace

// Without a cell there is no upstream either, which whoever asks for one will say.
bool SessionFsm::has_prefix(const Turn& turn) {
  if (upstreams_ != nullptr) return !upstreams_->target().key_prefix.empty();
  const auto upstreams = tenant_upstreams(turn);
  return upstreams && !(*upstreams)->target().key_prefix.empty();
}

// Requests whose replies name no keys go out together, as in database mode.
void SessionFsm::send_prefixed(UpstreamFsm& upstream, const Request& request,
                               const CommandRule& rule, Turn& turn) {
  std::string& rewritten = host_.rewritten;
  const ReplyKeys reply_keys = transaction_.open ? ReplyKeys::kNone : rule.reply_keys;
  const bool alone = reply_keys != ReplyKeys::kNone;
  if (!turn.run.empty() && (alone || !turn.run.continues(upstream, rewritten))) flush(turn);
  note_lookup(request, rule, turn);
  if (turn.run.empty()) rewritten.clear();
  append_with_prefixed_keys(rewritten, request, rule.keys, upstream.key_prefix());
  if (transaction_.open) transaction_.queued.push_back(rule.reply_keys);
  turn.run.add_rewritten(upstream, request.bytes, rewritten, reply_keys);
  if (alone) flush(turn);
}

// On another connection than those of the tenant's user; nothing is unanswered.
void SessionFsm::send_prefixed_elsewhere(const std::shared_ptr<UpstreamFsm>& upstream,
                                         const Request& request, const CommandRule& rule) {
  assert(outstanding_ == 0);
  std::string& rewritten = host_.rewritten;
  rewritten.clear();
  append_with_prefixed_keys(rewritten, request, rule.keys, upstream->key_prefix());
  time_requests(request.bytes, 1);
  batch_.begin(answered_);
  batch_.add(rewritten, 1, rule.reply_keys);
  send_shaped(upstream, rewritten, rule);
  release_rewritten();
}

// A request, or its beginning, whose reply may name keys.
void SessionFsm::send_shaped(const std::shared_ptr<UpstreamFsm>& upstream,
                             std::string_view rewritten, const CommandRule& rule) {
  ReplyShape shape;
  if (transaction_.open) {
    transaction_.queued.push_back(rule.reply_keys);
  } else {
    shape.keys = rule.reply_keys;
  }
  route_ = upstream;
  ++outstanding_;
  upstream->send(*this, rewritten, 1, std::move(shape));
}

void SessionFsm::release_rewritten() {
  if (host_.rewritten.capacity() > kKeptRewrittenBytes) host_.rewritten = {};
}

ReplyShape SessionFsm::shape_of_exec() {
  if (transaction_.queued.empty()) return {};
  return {.keys = ReplyKeys::kNone,
          .transaction =
              std::make_unique<const std::vector<ReplyKeys>>(std::move(transaction_.queued))};
}

SessionFsm::Next SessionFsm::about_all_keys(const Request& request, const CommandRule& rule,
                                            Turn& turn) {
  if (transaction_.open) {
    return refuse(turn, fmt::format("ERR '{}' is not available inside MULTI here, where keys have "
                                    "prefixes",
                                    rule.name));
  }
  if (has_wrong_arity(request, rule)) return refuse(turn, wrong_arguments(rule.name));
  if (rule.kind == CommandKind::kFlush && !is_known_flush(request))
    return refuse(turn, "ERR syntax error");
  if (!all_answered(turn)) return Next::kWait;
  if (const auto other = count_against_rate(turn)) return *other;
  auto keyspace = host_.upstreams.of(*turn.tenant, protocol_, UpstreamUser::kKeyspace, database_);
  if (!keyspace) return refuse(turn, "ERR " + keyspace.error().message);
  auto index = host_.upstreams.of(*turn.tenant, Protocol::kResp2, UpstreamUser::kIndex, database_);
  if (!index) return refuse(turn, "ERR " + index.error().message);
  work_ = std::make_unique<KeyspaceWork>();
  work_->index = std::move(*index);
  work_->tenant = upstreams_;
  work_->keyspace = std::move(*keyspace);
  if (rule.name == "flushall" && databases_of(turn) > 1) {
    const std::string root = key_root(backend_of(*turn.tenant), *turn.tenant);
    work_->job = std::make_unique<RemoveKeys>(ScanWalk::through_all_databases(root));
  } else {
    work_->job = make_job(request, rule, upstreams_->target().key_prefix, host_.random);
  }
  if (rule.kind == CommandKind::kInfo) work_->answer = KeyspaceWork::Answer::kInfo;
  work_->removes = rule.kind == CommandKind::kFlush;
  // Names that came behind would stay.
  if (work_->removes) host_.indexes.flush(*host_.directory);
  if (work_->removes && has_quota(turn)) quota_->note_removal();
  continue_work();
  return Next::kDone;
}

// Sends the next step once the last one is answered; the answer, after the last one.
void SessionFsm::continue_work() {
  if (work_ == nullptr || outstanding_ > 0) return;
  const auto step = work_->job->next();
  if (!step) return end_work(work_->job->answer(protocol_));
  const auto upstream = upstreams_for(step->asker)->shared(host_.time.monotonic());
  if (!upstream && step->asker == KeyspaceJob::Asker::kIndexUser) {
    work_->job->answered("-ERR");  // it can do without
    return continue_work();
  }
  if (!upstream) {
    count(CacheMeter::kFailed);
    std::string text;
    append_error(text, "ERR " + upstream.error().message);
    return end_work(text);
  }
  send_now(*upstream, step->request, ReplyUse::kKeyspaceStep);
}

TenantUpstreams* SessionFsm::upstreams_for(KeyspaceJob::Asker asker) const {
  switch (asker) {
    case KeyspaceJob::Asker::kTenant:
      return work_->tenant.get();
    case KeyspaceJob::Asker::kIndexUser:
      return work_->index.get();
    case KeyspaceJob::Asker::kKeyspaceUser:
      break;
  }
  return work_->keyspace.get();
}

void SessionFsm::end_work(std::string_view answer) {
  const std::unique_ptr<KeyspaceWork> work = std::exchange(work_, nullptr);
  const Tenant* tenant = login_ ? host_.directory->find_tenant(login_->tenant) : nullptr;
  if (work->answer == KeyspaceWork::Answer::kInfo && answer.starts_with(':') && tenant != nullptr) {
    const auto upstream = work->tenant->shared(host_.time.monotonic());
    say(info_answer(answer, upstream ? (*upstream)->facts() : ServerFacts(), *tenant, view()));
  } else {
    say(answer);
  }
  waker_.wake();
}

void SessionFsm::drop_work() {
  if (work_ == nullptr) return;
  work_ = nullptr;
  if (outstanding_ > 0) route_->abandon(*this);
  outstanding_ = 0;
}

// The shared connection of the keyspace user, for a request of the client's; whatever the client
// has asked before is answered.
Result<std::shared_ptr<UpstreamFsm>> SessionFsm::keyspace_upstream(const Turn& turn) {
  const auto keyspace =
      host_.upstreams.of(*turn.tenant, protocol_, UpstreamUser::kKeyspace, database_);
  if (!keyspace) return std::unexpected(keyspace.error());
  return (*keyspace)->shared(turn.now);
}

// As the keyspace user: Redis lets nobody read keys by pattern who may not read every key. Both the
// patterns and the destination have the prefix.
SessionFsm::Next SessionFsm::sort_by_pattern(const Request& request, const CommandRule& rule,
                                             Turn& turn) {
  if (transaction_.open) {
    return refuse(turn,
                  "ERR SORT with BY or GET is not available inside MULTI here, where keys "
                  "have prefixes");
  }
  if (!all_answered(turn)) return Next::kWait;
  if (const auto other = admit(request, request.argument_count, rule, turn)) return *other;
  const auto upstream = keyspace_upstream(turn);
  if (!upstream) return refuse(turn, "ERR " + upstream.error().message);
  send_prefixed_elsewhere(*upstream, request, rule);
  return Next::kDone;
}

}  // namespace partywall::cache
