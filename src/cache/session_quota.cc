#include <cassert>

#include <fmt/format.h>

#include "cache/prefix/key_walk.h"
#include "cache/quota/request_policy.h"
#include "cache/session_fsm.h"

// Quotas of keys and bytes. A request that may add to them is charged before it is sent. Where it
// might be too much, the session first asks Redis how it is, and has room made where the tenant
// evicts; the request waits meanwhile, and so does everything behind it.
namespace partywall::cache {
namespace {

// Others of the tenant's requests may be under way that make no key in the end; so often it is
// counted again to find out.
constexpr uint8_t kMostCounts = 3;

// The greatest values that a tier may have: nothing is counted for them.
constexpr uint64_t kEndlessCacheKeys = 1'000'000'000;
constexpr uint64_t kEndlessCacheBytes = 1ULL << 50;

// Of the names that one session keeps until it is answered.
constexpr size_t kMostOpenNameBytes = 64UL << 10;

// How long a name counts as written down. Other nodes may take it out of the index unseen.
constexpr Duration kRememberedAlone = seconds(10);
constexpr Duration kRememberedAmongNodes = seconds(1);
constexpr uint64_t kOddNumber = 0x9e37'79b9'7f4a'7c15;

}  // namespace

// Nothing: the request may go on; it is charged and counted then, so it must not be looked at
// again.
std::optional<SessionFsm::Next> SessionFsm::admit(const Request& request, uint32_t arguments_there,
                                                  const CommandRule& rule, Turn& turn,
                                                  uint64_t bytes_to_come) {
  const bool removes = rule.growth == CommandGrowth::kNone && rule.effect == CommandEffect::kWrites;
  if ((rule.growth == CommandGrowth::kNone && !removes) || !has_quota(turn))
    return count_against_rate(turn);
  if (removes) {
    quota_->note_removal();
    if (const auto other = count_against_rate(turn)) return other;
    note_removed_keys(request, rule, turn);
    note_charge({}, turn, names_of_new_keys(request, arguments_there, rule, turn));
    return std::nullopt;
  }
  Growth growth = growth_of(request, rule, arguments_there);
  growth.bytes += allocated(bytes_to_come);
  std::optional<bool> much_room;
  if (is_refused_at_quota(rule.growth) && !growth.none()) {
    if (const auto other =
            charge_for_room(request, arguments_there, rule, growth, much_room, turn)) {
      return other;
    }
  } else {
    quota_->charge(growth);
  }
  if (const auto other = count_against_rate(turn)) {
    quota_->take_back(growth);
    return other;
  }
  note_charge(growth, turn, names_of_new_keys(request, arguments_there, rule, turn, much_room));
  if (transaction_.open && growth.unsure) transaction_.unsure = true;
  return std::nullopt;
}

uint32_t SessionFsm::nodes() const {
  return host_.live_nodes == nullptr ? 1 : host_.live_nodes->live_nodes();
}

// It is settled with the answer to the request that is sent next.
void SessionFsm::note_charge(const Growth& growth, const Turn& turn, const NewNames& names) {
  if (growth.none() && names.empty()) return;
  // Within a transaction names would pile up without end; those of another database go first too.
  if (!names.empty()) {
    const bool too_many = charges_.name_bytes() + names.bulks.size() > kMostOpenNameBytes;
    if (too_many || !charges_.names_are_of(names.database))
      settle({.growth = {}, .names = charges_.take_names()});
  }
  // One more than itself: a script may be loaded first.
  charges_.add(growth, names, answered_ + outstanding_ + turn.run.count() + 2);
}

// Of the tenant, and of the time in which a name that was written down counts as remembered. The
// hash of a key is secret already.
uint64_t SessionFsm::seed_of_names(const Turn& turn) const {
  const Duration remembered = nodes() <= 1 ? kRememberedAlone : kRememberedAmongNodes;
  const auto age = static_cast<uint64_t>(turn.now.time_since_epoch() / remembered);
  return (std::hash<TenantId>()(turn.tenant->id) + (age << 32U)) * kOddNumber;
}

// What is to be written down in the tenant's index once it is answered. What was a moment ago still
// is, as long as nothing is taken out of the index.
NewNames SessionFsm::names_of_new_keys(const Request& request, uint32_t arguments_there,
                                       const CommandRule& rule, Turn& turn,
                                       std::optional<bool> much_room) {
  NewNames names{.database = database_, .bulks = {}};
  if (!has_prefix(turn)) return names;
  if (!turn.names_seed) turn.names_seed = seed_of_names(turn);
  const uint64_t place = *turn.names_seed + database_ + quota_->names_epoch() * kOddNumber;
  const bool may_skip = much_room ? *much_room : quota_->has_much_room(turn.tenant->limits);
  const auto add = [&](std::string_view key) {
    const bool known = host_.indexes.recent().add(host_.quotas.hash(key) ^ place);
    if (known && may_skip) return;
    append_bulk(names.bulks, key);
    ++names.count;
    names.urgent = !may_skip;
  };
  if (const auto key = only_key_to_write_down(request, rule)) {
    add(*key);
  } else {
    for (const std::string_view one : keys_to_write_down(request, rule, arguments_there)) add(one);
  }
  return names;
}

// Of a request that was sent just now and is not charged.
void SessionFsm::note_new_key(uint32_t database, std::string_view key, Turn& turn) {
  if (!has_quota(turn)) return;
  NewNames names{.database = database, .count = 1, .bulks = {}, .urgent = true};
  append_bulk(names.bulks, key);
  note_charge({}, turn, names);
}

void SessionFsm::note_removed_keys(const Request& request, const CommandRule& rule, Turn& turn) {
  if (!has_prefix(turn) || quota_->has_much_room(turn.tenant->limits)) return;
  KeyWalk walk(rule.keys, request.argument_count);
  ArgumentCursor cursor(request);
  while (const auto argument = cursor.next()) {
    if (walk.next(*argument) == ArgumentRole::kKey) removed_keys_.add(database_, *argument);
  }
}

// Nothing: there is room, and it is charged.
std::optional<SessionFsm::Next> SessionFsm::charge_for_room(const Request& request,
                                                            uint32_t arguments_there,
                                                            const CommandRule& rule, Growth& growth,
                                                            std::optional<bool>& much_room,
                                                            Turn& turn) {
  const Limits& limits = turn.tenant->limits;
  if (!quota_failure_.empty()) {
    if (transaction_.open) transaction_.refused = true;
    return reply(turn, quota_failure_);
  }
  if (quota_try_.all_exist) growth.keys = 0;
  const CacheAtQuota policy = at_quota_of(limits, request, rule, arguments_there);
  // What could never fit evicts nothing.
  if (!growth.unsure && growth.keys > limits.cache_keys)
    return refuse_over_quota(turn, TenantQuota::Verdict::kCount, CacheAtQuota::kRefuse);
  if (growth.bytes > limits.cache_bytes)
    return refuse_over_quota(turn, TenantQuota::Verdict::kWeigh, CacheAtQuota::kRefuse);
  const TenantQuota::Admission admission =
      quota_->charge_if_fits(growth, limits, nodes(), turn.now);
  much_room = admission.much_room;
  switch (admission.verdict) {
    case TenantQuota::Verdict::kFits:
      // To count is cheaper than to write down names that are there already.
      if (!admission.worth_counting || quota_try_.counts > 0 || !has_prefix(turn))
        return std::nullopt;
      quota_->take_back(growth);
      break;
    case TenantQuota::Verdict::kFull:
      return refuse_over_quota(turn, TenantQuota::Verdict::kWeigh, policy);
    case TenantQuota::Verdict::kWeigh:
      if (quota_try_.weighings > 0) {
        if (quota_->fits_by_answer(growth, limits)) return charge_by_answer(growth, policy, turn);
        return refuse_over_quota(turn, TenantQuota::Verdict::kWeigh, policy);
      }
      if (!all_answered(turn)) return Next::kWait;
      ++quota_try_.weighings;
      return ask_about_quota(QuotaWork::What::kWeigh,
                             std::make_unique<WeighKeysOf>(limits_to_ask_with(policy, turn),
                                                           growth.bytes, key_prefixes(turn)),
                             turn);
    case TenantQuota::Verdict::kCount:
      break;
  }
  const bool evicts = policy == CacheAtQuota::kEvict;
  if (evicts && quota_try_.counts > 0 && quota_->fits_by_answer(growth, limits))
    return charge_by_answer(growth, policy, turn);
  if (!all_answered(turn)) return Next::kWait;
  const bool may_change = quota_try_.counts == 0 || quota_->keys_since_count() > 0;
  if (may_change && quota_try_.counts < kMostCounts) {
    ++quota_try_.counts;
    return ask_about_quota(QuotaWork::What::kCount, count_question(growth, policy, turn), turn);
  }
  const auto keys = arguments_there == request.argument_count ? keys_it_may_make(request, rule)
                                                              : std::vector<std::string_view>();
  if (keys.empty() || quota_try_.asked_existing)
    return refuse_over_quota(turn, TenantQuota::Verdict::kCount, policy);
  quota_try_.asked_existing = true;
  quota_try_.keys = keys.size();
  const std::string_view prefix =
      has_prefix(turn) ? std::string_view(upstreams_->target().key_prefix) : std::string_view();
  return ask_about_quota(QuotaWork::What::kExisting,
                         std::make_unique<ExistingKeys>(database_, keys, prefix), turn);
}

// Another worker may have charged the same room meanwhile: then it is looked at again.
std::optional<SessionFsm::Next> SessionFsm::charge_by_answer(const Growth& growth,
                                                             CacheAtQuota policy, Turn& turn) {
  if (policy == CacheAtQuota::kEvict) {
    quota_->charge(growth);
  } else if (!quota_->charge_if_keys_fit(growth, turn.tenant->limits, nodes())) {
    waker_.wake();
    return Next::kWait;
  }
  return std::nullopt;
}

// Where nothing may go, it is not looked for again at once.
Limits SessionFsm::limits_to_ask_with(CacheAtQuota policy, const Turn& turn) const {
  const Limits& limits = turn.tenant->limits;
  const bool fruitless = !limits.cache_key_spaces.empty() && !quota_->may_evict(turn.now);
  return judged(limits, fruitless ? CacheAtQuota::kRefuse : policy);
}

std::unique_ptr<QuotaQuestions> SessionFsm::count_question(const Growth& growth,
                                                           CacheAtQuota policy, Turn& turn) {
  IndexesToCount indexes{.prefixes = key_prefixes(turn)};
  if (!indexes.prefixes.empty()) {
    indexes.database = removed_keys_.database();
    indexes.removed = removed_keys_.take();
    indexes.may_look_through = quota_->may_look_through(turn.now);
  }
  return std::make_unique<CountKeysOf>(limits_to_ask_with(policy, turn),
                                       growth.unsure ? 1 : growth.keys, quota_->keys_under_way(),
                                       std::move(indexes));
}

// Of each of the tenant's databases; none in database mode.
KeyPrefixes SessionFsm::key_prefixes(Turn& turn) {
  KeyPrefixes prefixes;
  if (!has_prefix(turn)) return prefixes;
  for (uint32_t database = 0; database < databases_of(turn); ++database) {
    const auto upstreams =
        host_.upstreams.of(*turn.tenant, Protocol::kResp2, UpstreamUser::kIndex, database);
    if (upstreams) prefixes.push_back((*upstreams)->target().key_prefix);
  }
  return prefixes;
}

bool SessionFsm::has_quota(Turn& turn) {
  const Limits& limits = turn.tenant->limits;
  const bool endless =
      limits.cache_keys >= kEndlessCacheKeys && limits.cache_bytes >= kEndlessCacheBytes;
  if (endless) return false;
  if (quota_ == nullptr) quota_ = host_.quotas.of(turn.tenant->id);
  return true;
}

SessionFsm::Next SessionFsm::ask_about_quota(QuotaWork::What what,
                                             std::unique_ptr<QuotaQuestions> questions,
                                             const Turn& turn) {
  const auto verdict =
      what == QuotaWork::What::kWeigh ? TenantQuota::Verdict::kWeigh : TenantQuota::Verdict::kCount;
  quota_work_ = QuotaWork{.what = what, .questions = std::move(questions)};
  if (what != QuotaWork::What::kExisting) quota_work_->mark = quota_->mark(verdict, turn.now);
  continue_quota_work();
  return Next::kWait;
}

// Asks the next question once the last one is answered.
void SessionFsm::continue_quota_work() {
  if (!quota_work_ || outstanding_ > 0) return;
  const Tenant* tenant = login_ ? host_.directory->find_tenant(login_->tenant) : nullptr;
  const bool goes_on = quota_work_->failure.empty() && tenant != nullptr;
  const auto step = goes_on ? quota_work_->questions->next() : std::nullopt;
  if (!step) return end_quota_work();
  // Behind what is still to be written down.
  host_.indexes.flush(*host_.directory);
  const bool indexed = upstreams_ != nullptr && !upstreams_->target().key_prefix.empty();
  const auto upstreams =
      indexed ? host_.upstreams.of(*tenant, Protocol::kResp2, UpstreamUser::kIndex, step->database)
              : host_.upstreams.of(*tenant, protocol_, UpstreamUser::kTenant, step->database);
  const auto upstream =
      upstreams ? (*upstreams)->shared(host_.time.monotonic()) : std::unexpected(upstreams.error());
  if (!upstream) {
    append_error(quota_work_->failure, "ERR " + upstream.error().message);
    return end_quota_work();
  }
  send_now(*upstream, step->request, ReplyUse::kQuotaStep);
}

void SessionFsm::end_quota_work() {
  const QuotaWork work = std::move(*std::exchange(quota_work_, std::nullopt));
  const MonotonicTime now = host_.time.monotonic();
  waker_.wake();
  quota_failure_ = work.failure;
  const QuotaQuestions::Evicted& evicted = work.questions->evicted();
  count(CacheMeter::kEvicted, evicted.keys);
  if (quota_ != nullptr && work.questions->forgot_names()) quota_->forgot_names();
  if (!work.failure.empty() || quota_ == nullptr) return;
  if (work.questions->tried_to_evict()) quota_->evicted(work.mark.at, now, evicted.keys);
  if (work.questions->looked_through())
    quota_->looked_through(work.mark.at, now, work.questions->forgot_names());
  switch (work.what) {
    case QuotaWork::What::kCount:
      return quota_->counted(work.mark, work.questions->result());
    case QuotaWork::What::kWeigh:
      quota_try_.counts = 0;  // it may have taken longer than a count is good for
      return quota_->weighed(work.mark, work.questions->result(), now);
    case QuotaWork::What::kExisting:
      quota_try_.all_exist = work.questions->result() == quota_try_.keys;
  }
}

SessionFsm::Next SessionFsm::refuse_over_quota(Turn& turn, TenantQuota::Verdict what,
                                               CacheAtQuota policy) {
  count(CacheMeter::kOverQuota);
  const Limits& limits = turn.tenant->limits;
  const TenantQuota::Usage usage = quota_->usage();
  std::string_view why;
  if (policy == CacheAtQuota::kEvict) {
    count(CacheMeter::kNothingToEvict);
    why = ", and none of those that may be evicted makes room";
  }
  if (what == TenantQuota::Verdict::kCount) {
    return refuse(turn, fmt::format("OOM command not allowed: tenant {} has {} keys, and its quota "
                                    "(cache.keys) is {}{}; delete some, or let them expire",
                                    turn.tenant->slug, usage.keys, limits.cache_keys, why));
  }
  return refuse(turn,
                fmt::format("OOM command not allowed: the keys of tenant {} take {} MiB, and its "
                            "quota (cache.megabytes) is {} MiB{}; delete some, or let them expire",
                            turn.tenant->slug, usage.bytes >> 20, limits.cache_bytes >> 20, why));
}

// Within a transaction commands are answered before they are carried out.
void SessionFsm::settle_charges() {
  if (quota_ == nullptr || charges_.none() || transaction_.open) return;
  settle(outstanding_ == 0 ? charges_.take_all() : charges_.take_answered(answered_));
}

void SessionFsm::settle(const Charge& charge) {
  if (!charge.names.empty()) {
    host_.indexes.write(login_->tenant, quota_, charge.names, charge.growth);
  } else if (!charge.growth.none()) {
    quota_->settle(charge.growth);
  }
}

// Before the request is sent. Within a transaction its answer says nothing.
void SessionFsm::note_lookup(const Request& request, const CommandRule& rule, const Turn& turn) {
  if (rule.lookup == CommandLookup::kNone || transaction_.open) return;
  const bool every = rule.lookup == CommandLookup::kEvery;
  const uint32_t keys = every ? request.argument_count - 1 : 1;
  if (request.argument_count < 2) return;
  lookups_.asked(answered_ + outstanding_ + turn.run.count(), keys);
  if (quota_ == nullptr) quota_ = host_.quotas.of(turn.tenant->id);
  HitRateEstimator& rates = quota_->hit_rates();
  if (!every) return rates.looked_up(host_.quotas.hash(request.first));
  ArgumentCursor cursor(request);
  cursor.next();
  while (const auto key = cursor.next()) rates.looked_up(host_.quotas.hash(*key));
}

void SessionFsm::found_nulls(uint32_t index, uint32_t nulls) {
  lookups_.found_nulls(answered_ + index, nulls);
}

// After answered_ has grown.
void SessionFsm::count_lookups() {
  if (lookups_.empty()) return;
  const Lookups::Found found = lookups_.answered(answered_);
  if (found.hits > 0) count(CacheMeter::kHits, found.hits);
  if (found.misses > 0) count(CacheMeter::kMisses, found.misses);
}

void SessionFsm::leave_quota() {
  lookups_.clear();
  if (quota_ != nullptr && !charges_.none()) {
    const Charge left = charges_.take_all();
    quota_->abandon(left.growth, host_.time.monotonic());
    settle({.growth = {}, .names = left.names});
  }
  removed_keys_ = {};
  quota_ = nullptr;
  quota_work_.reset();
  forget_quota_try();
}

}  // namespace partywall::cache
