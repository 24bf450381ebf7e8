#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "cache/buffer_budget.h"
#include "cache/clients/client_register.h"
#include "cache/load/load_book.h"
#include "cache/load/script_flights.h"
#include "cache/load/sent_batch.h"
#include "cache/load/slow_lane.h"
#include "cache/local_answers.h"
#include "cache/login.h"
#include "cache/prefix/keyspace_job.h"
#include "cache/prefix/reply_stripper.h"
#include "cache/quota/lookups.h"
#include "cache/quota/session_quota.h"
#include "cache/reply_sink.h"
#include "cache/request_run.h"
#include "cache/resp/request_parser.h"
#include "cache/resp/request_stream.h"
#include "cache/session_host.h"
#include "cache/subscriptions.h"
#include "cache/tracking/tracking_feed.h"
#include "cache/waker.h"

namespace partywall::cache {

struct CommandRule;
struct KeyspaceWork;
class KeyPrefixer;

// What a client that tracks keeps: all that it reads, or only or not what CLIENT CACHING says.
enum class TrackingMode : uint8_t { kDefault, kOptIn, kOptOut };

// One client connection. It takes the client's bytes, answers what is the door's to answer, passes
// the rest on to connections of the client's tenant, and puts all replies in the order of the
// requests.
//
// Unanswered requests are at one upstream connection at a time: before the next one goes elsewhere
// (another tenant, a connection of its own for MULTI), the session waits until all are answered. So
// the order of replies needs no bookkeeping beyond the upstream's own queue.
class SessionFsm final : public ReplySink, public SubscriberSink, public TrackingClient {
 public:
  // `host` and `waker` must outlive it.
  SessionFsm(SessionHost& host, Waker& waker, uint64_t id, std::string address);
  ~SessionFsm() override;
  SessionFsm(const SessionFsm&) = delete;
  SessionFsm& operator=(const SessionFsm&) = delete;

  // --- For the shell, which calls resume() after every wake.
  void receive(std::string_view bytes);
  // The client has closed its side; what it asked before is still answered, unless it is blocked.
  void input_ended();
  void resume();
  [[nodiscard]] std::string_view output() const { return output_.view(); }
  void sent(size_t bytes);
  [[nodiscard]] bool wants_input() const;
  // True when the connection is to be closed; check it after all output is written.
  [[nodiscard]] bool finished() const { return closing_ && outstanding_ == 0; }
  // Takes no new requests and ends when what it has begun is done.
  void drain();
  [[nodiscard]] bool logged_in() const { return login_.has_value(); }
  // When it wants to be resumed though nothing has happened; nothing: it does not.
  [[nodiscard]] std::optional<MonotonicTime> pause_end() const { return pause_until_; }
  [[nodiscard]] bool input_has_ended() const { return input_ended_; }
  // Has something begun that a drain should wait for?
  [[nodiscard]] bool busy() const {
    return outstanding_ > 0 || transaction_.open || work_ != nullptr || subscriber_ ||
           !output_.empty();
  }
  void directory_changed();
  // From another client of the same tenant.
  void obey(ClientOrder order, std::string_view key);
  [[nodiscard]] uint64_t id() const { return id_; }

  // --- ReplySink
  void pass(std::string_view bytes, uint32_t completed) override;
  void found_nulls(uint32_t index, uint32_t nulls) override;
  void refused_as_busy(std::string_view reply) override;
  void use(ReplyUse use, std::string_view reply, const ServerFacts& facts) override;
  void answer(std::string_view text) override;
  void lost(uint32_t unanswered, LostReplies how) override;
  void drained() override;
  [[nodiscard]] bool congested() const override;  // of both sinks

  // --- SubscriberSink
  void deliver(const PushFrame& frame) override;
  void subscriber_lost() override;

  // --- TrackingClient
  void invalidated(std::optional<std::string_view> key) override;
  void tracking_changed() override;

 private:
  enum class Next : uint8_t { kDone, kWait };

  // A connection that the session has to itself, and for how long.
  enum class Hold : uint8_t {
    kUntilReleased,  // while a key is watched or a transaction is open
    kUntilAnswered,  // until the last reply is there
    kBlocking,       // the same, and worth nothing once the client has gone
  };
  struct Held {
    std::shared_ptr<UpstreamFsm> upstream;
    std::shared_ptr<TenantUpstreams> owner;
    Hold hold = Hold::kUntilReleased;
  };

  struct Subscriber {
    std::shared_ptr<SubscriberFsm> upstream;
    std::shared_ptr<TenantUpstreams> owner;
    ChannelNames names;
  };

  // FLUSHALL over several databases.
  struct Flushing {
    uint32_t next = 0;    // database
    std::string failure;  // of one of them
  };

  // A script that Redis is asked to take.
  struct Loading {
    Sha1Digest script{};    // as the client has it
    Sha1Digest in_redis{};  // with the prelude
    size_t bytes = 0;
    bool unasked = false;  // the client does not know of it: it gets no answer
  };

  // CLIENT TRACKING.
  struct Tracking {
    std::shared_ptr<TrackingFeed> feed;
    TrackingMode mode = TrackingMode::kDefault;
    bool own_changes = true;  // no NOLOOP
    bool exception = false;   // CLIENT CACHING: the next command is one
    uint64_t redirect = 0;    // the client that is told instead
  };
  struct Invalidation {
    uint64_t due = 0;  // behind so many answers
    std::string text;
  };

  // A command whose time is taken.
  struct Timing {
    bool running = false;
    MonotonicTime since{};
    RequestExcerpt request;
  };

  // CLIENT REPLY.
  enum class Replies : uint8_t { kOn, kOff, kSkipNext, kSkipping };

  struct Transaction {
    bool open = false;     // between MULTI and EXEC
    bool refused = false;  // the door refused one of its commands: EXEC must fail
    bool watching = false;
    std::vector<ReplyKeys> queued;  // in prefix mode: where the replies to its commands name keys
    bool flushes = false;           // it has a FLUSHDB
    bool unsure = false;            // it has what may make any number of keys
    bool has_script = false;        // or a function
    bool has_own_script = false;    // one that the tenant has written itself
    std::vector<std::string> read_keys;  // by its commands, where the client keeps them
  };

  // Requests that Redis has refused because a script kept it busy: the last ones that are
  // unanswered.
  struct RefusedAsBusy {
    uint32_t count = 0;
    bool again = false;     // they are sent again, and not answered yet
    bool question = false;  // it was a question of the door's
    uint32_t times = 0;     // in a row
    MonotonicTime since{};
  };

  struct LimitWait final : LimitWaiter {
    explicit LimitWait(Waker& its_waker) : waker(its_waker) {}
    void limit_answered() override { waker.wake(); }
    Waker& waker;
  };

  // What one look at the input works with; looked up once for many requests.
  struct Turn {
    MonotonicTime now;
    const Tenant* tenant = nullptr;  // nullptr: not logged in
    bool expired = false;            // the context is too old to begin anything with
    uint64_t commands = 0;
    std::shared_ptr<UpstreamFsm> shared;  // the tenant's shared connection, once it was asked for
    std::optional<uint64_t> names_seed;   // the same of what its keys' names are remembered by
    RequestRun run;
  };

  // session_fsm.cc: bytes
  size_t process(std::string_view data);
  void process_kept_input();
  [[nodiscard]] bool paused(const Turn& turn) const;
  void count(CacheMeter meter, uint64_t amount = 1);
  void account_for_input();

  // session_requests.cc: what happens to a request
  Next handle(const Request& request, Turn& turn);
  Next dispatch(const Request& request, Turn& turn);
  Next handle_tenant_request(const Request& request, const CommandRule& rule, Turn& turn);
  Next serve(const Request& request, const CommandRule& rule, Turn& turn);
  [[nodiscard]] std::string refusal(const Request& request, const CommandRule& rule,
                                    const Turn& turn) const;
  Next pass_on(const Request& request, const CommandRule& rule, Turn& turn);
  Next rewrite(const Request& request, const CommandRule& rule, Turn& turn);
  Next answer_locally(const Request& request, const CommandRule& rule, Turn& turn);
  Next pass_on_instead(std::string_view text, ReplyUse use, Turn& turn);
  Next ask_about_commands(const Request& request, Turn& turn);
  Next refuse(Turn& turn, std::string_view text);
  // Nothing: the request may go on. It is counted then, so it must not be looked at again.
  std::optional<Next> count_against_rate(Turn& turn);
  Next refuse_over_rate(Turn& turn, Duration retry_after);
  Next reply(Turn& turn, std::string text);
  [[nodiscard]] ClientView view() const;
  [[nodiscard]] const CacheBackend& backend_of(const Tenant& tenant) const;
  [[nodiscard]] ChannelNames names_of(const Tenant& tenant) const;

  // session_quota.cc: quotas of keys and bytes
  std::optional<Next> admit(const Request& request, uint32_t arguments_there,
                            const CommandRule& rule, Turn& turn, uint64_t bytes_to_come = 0);
  std::optional<Next> charge_for_room(const Request& request, uint32_t arguments_there,
                                      const CommandRule& rule, Growth& growth,
                                      std::optional<bool>& much_room, Turn& turn);
  std::optional<Next> charge_by_answer(const Growth& growth, CacheAtQuota policy, Turn& turn);
  [[nodiscard]] Limits limits_to_ask_with(CacheAtQuota policy, const Turn& turn) const;
  [[nodiscard]] bool has_quota(Turn& turn);
  [[nodiscard]] uint32_t nodes() const;
  void note_charge(const Growth& growth, const Turn& turn, const NewNames& names = {});
  [[nodiscard]] NewNames names_of_new_keys(const Request& request, uint32_t arguments_there,
                                           const CommandRule& rule, Turn& turn,
                                           std::optional<bool> much_room = {});
  [[nodiscard]] uint64_t seed_of_names(const Turn& turn) const;
  void note_new_key(uint32_t database, std::string_view key, Turn& turn);
  void note_removed_keys(const Request& request, const CommandRule& rule, Turn& turn);
  [[nodiscard]] KeyPrefixes key_prefixes(Turn& turn);
  std::unique_ptr<QuotaQuestions> count_question(const Growth& growth, CacheAtQuota policy,
                                                 Turn& turn);
  Next ask_about_quota(QuotaWork::What what, std::unique_ptr<QuotaQuestions> questions,
                       const Turn& turn);
  void continue_quota_work();
  void end_quota_work();
  Next refuse_over_quota(Turn& turn, TenantQuota::Verdict what, CacheAtQuota policy);
  void forget_quota_try() {
    quota_try_ = {};
    quota_failure_.clear();
  }
  void settle_charges();
  void settle(const Charge& charge);
  void note_lookup(const Request& request, const CommandRule& rule, const Turn& turn);
  void count_lookups();
  void leave_quota();

  // session_load.cc: what it costs Redis
  std::optional<Next> wait_for_time(Turn& turn);
  std::optional<Next> enter_lane(const CommandRule& rule, Turn& turn);
  void pause_until(MonotonicTime end);
  void continue_after_pause();
  void note_script(const CommandRule& rule, const UpstreamFsm& upstream, Turn& turn);
  void begin_script(const UpstreamFsm& upstream, Turn& turn);
  void end_script();
  void send_again();
  void give_up_busy();
  [[nodiscard]] bool waits_for_script() const {
    return refused_.count > 0 || refused_.again || refused_.question;
  }
  [[nodiscard]] bool was_refused() const { return refused_.count > 0 || refused_.times > 0; }
  void wait_for_script(uint32_t requests);
  bool script_kept_it_busy_for_too_long();
  [[nodiscard]] bool question_is_refused_as_busy(std::string_view reply);

  // session_transactions.cc: requests that need a connection of their own
  Next pass_on_held(const Request& request, const CommandRule& rule, Turn& turn);
  Next unwatch(const Request& request, const CommandRule& rule, Turn& turn);
  Next end_transaction(const Request& request, const CommandRule& rule, Turn& turn);
  Result<> take_held(Turn& turn, Hold hold);
  void release_held();
  void drop_held();
  void set_blocked(bool blocked);

  // session_subscriptions.cc: a second connection, for messages
  [[nodiscard]] bool only_subscribes() const;
  Next subscribe(const Request& request, const CommandRule& rule, Turn& turn);
  [[nodiscard]] Result<std::string> subscription_request(const Request& request,
                                                         Subscriptions::Family family,
                                                         const Turn& turn) const;
  Next ping_as_subscriber(const Request& request, Turn& turn);
  Result<> open_subscriber(Turn& turn);
  Next ask_about_channels(const Request& request, const CommandRule& rule, Turn& turn);
  void drop_subscriber();
  void deliver_kept_messages();

  // session_clients.cc: CLIENT
  Next client(const Request& request, const CommandRule& rule, Turn& turn);
  std::string client_answer(const Request& request, std::string_view what, const Turn& turn);
  std::string set_client_name(std::string_view name);
  std::string set_client_library(const Request& request);
  void register_self();
  Next kill_clients(const Request& request, Turn& turn);
  Next unblock_client(const Request& request, Turn& turn);
  Next set_replies(const Request& request, Turn& turn);

  // session_scripts.cc: EVAL, EVALSHA, SCRIPT
  Next script(const Request& request, const CommandRule& rule, Turn& turn);
  Next eval(const Request& request, const CommandRule& rule, Turn& turn);
  Next eval_by_name(const Request& request, const CommandRule& rule, Turn& turn);
  Next run_script(const Request& request, const CommandRule& rule, std::string_view script,
                  Turn& turn);
  void send_script(UpstreamFsm& upstream, const Request& request, const CommandRule& rule,
                   std::string_view script, Turn& turn);
  Next load_script(const Request& request, Turn& turn);
  Next ask_about_scripts(const Request& request, Turn& turn);
  [[nodiscard]] std::string name_in_redis(std::string_view name, TenantId tenant) const;
  Next flush_scripts(const Request& request, Turn& turn);
  Next refuse_script(Turn& turn);
  std::string script_loaded(std::string_view reply);
  [[nodiscard]] std::string with_own_name(std::string_view error) const;

  // session_streams.cc: requests with big arguments
  size_t begin_stream(std::string_view bytes, Turn& turn);
  Next begin_passing_on(const RequestParser::Head& begun, const CommandRule& rule,
                        uint64_t bytes_to_come, Turn& turn);
  void send_begun(const Request& begun, const CommandRule& rule);
  size_t continue_stream(std::string_view bytes, Turn& turn);
  void append_to_stream(std::string_view bytes);
  void end_stream();
  [[nodiscard]] bool stream_is_congested() const;

  // session_tracking.cc: clients that keep what they have read
  Next set_tracking(const Request& request, Turn& turn);
  Next set_caching(const Request& request, Turn& turn);
  [[nodiscard]] std::string tracking_info() const;
  [[nodiscard]] int64_t redirection() const;
  void track(const Request& request, const CommandRule& rule);
  void tell_invalidated(std::optional<std::string_view> key);
  void deliver_invalidations();
  void redirected(std::optional<std::string_view> key);
  void end_tracking();
  void announce_flush(UpstreamFsm& upstream, uint32_t database, const Turn& turn);

  // session_databases.cc: SELECT, FLUSHALL, COPY, MOVE
  [[nodiscard]] uint32_t databases_of(const Turn& turn) const;
  Next select(const Request& request, Turn& turn);
  Next flush_all(Turn& turn);
  [[nodiscard]] Result<uint32_t> parse_database(std::string_view text, const Turn& turn) const;
  Next copy(const Request& request, const CommandRule& rule, Turn& turn);
  Next move(const Request& request, Turn& turn);

  // session_replies.cc: what comes back
  void say(std::string_view bytes);
  void push(std::string_view bytes);
  void note_time();
  void time_requests(std::string_view requests, uint32_t count);
  void replies_arrived(uint32_t count);

  // session_upstreams.cc: where requests go
  Result<UpstreamFsm*> upstream_for_plain(Turn& turn);
  Result<TenantUpstreams*> tenant_upstreams(const Turn& turn);
  [[nodiscard]] bool must_wait_for(const UpstreamFsm& upstream, Turn& turn);
  [[nodiscard]] bool all_answered(Turn& turn);
  void send(UpstreamFsm& upstream, const Request& request, const CommandRule& rule, Turn& turn);
  void send_now(const std::shared_ptr<UpstreamFsm>& upstream, std::string_view request,
                ReplyUse use);
  void flush(Turn& turn);

  // session_keyspace.cc: prefix mode
  [[nodiscard]] bool has_prefix(const Turn& turn);
  void send_prefixed(UpstreamFsm& upstream, const Request& request, const CommandRule& rule,
                     Turn& turn);
  void send_prefixed_elsewhere(const std::shared_ptr<UpstreamFsm>& upstream, const Request& request,
                               const CommandRule& rule);
  void send_shaped(const std::shared_ptr<UpstreamFsm>& upstream, std::string_view rewritten,
                   const CommandRule& rule);
  void release_rewritten();
  [[nodiscard]] ReplyShape shape_of_exec();
  Next about_all_keys(const Request& request, const CommandRule& rule, Turn& turn);
  Next sort_by_pattern(const Request& request, const CommandRule& rule, Turn& turn);
  Result<std::shared_ptr<UpstreamFsm>> keyspace_upstream(const Turn& turn);
  void continue_work();
  [[nodiscard]] TenantUpstreams* upstreams_for(KeyspaceJob::Asker asker) const;
  void end_work(std::string_view answer);
  void drop_work();

  // session_identity.cc: who it is
  void bind_tenant(Turn& turn);
  [[nodiscard]] LoginAuthority login_authority();
  Next handle_auth(const Request& request, Turn& turn);
  Next handle_hello(const Request& request, Turn& turn);
  Next handle_reset(Turn& turn);
  Result<> log_in(Result<Login> login, Turn& turn);
  void log_out(Turn& turn);

  SessionHost& host_;
  Waker& waker_;
  LimitWait limit_wait_{waker_};
  uint64_t id_;
  std::string address_;
  ClientRecord self_;  // what CLIENT LIST says

  ByteBuffer input_;
  ByteBuffer output_;
  BufferBudget::Units input_units_;
  RequestParser parser_;
  std::optional<RequestStream> stream_;     // of a request that is passed on while it arrives
  uint64_t stream_charged_ = 0;             // bytes of it that are still to come
  std::unique_ptr<KeyPrefixer> prefixer_;   // of such a request, in prefix mode
  std::shared_ptr<UpstreamFsm> stream_to_;  // nullptr: it is not passed on, but read to its end
  bool input_ended_ = false;
  bool closing_ = false;
  bool draining_ = false;
  bool muted_ = false;    // part of a reply is out whose rest will never come: nothing may follow
  bool stalled_ = false;  // there is input that cannot be looked at now

  std::optional<Login> login_;
  std::optional<TenantNumber> number_;      // of the login's tenant, for the meters
  std::optional<ClientSeats::Units> seat_;  // while logged in
  uint64_t directory_version_ = 0;          // that the login was checked against
  uint32_t failed_logins_ = 0;
  Protocol protocol_ = Protocol::kResp2;
  Replies replies_ = Replies::kOn;
  uint32_t database_ = 0;  // the client's number of it
  std::optional<Flushing> flushing_;
  std::optional<Loading> loading_;
  std::optional<Tracking> tracking_;
  std::deque<Invalidation> invalidations_;
  uint64_t answered_ = 0;  // since the beginning
  bool flushed_ = false;   // by a transaction: it is still to be announced
  Timing timing_;
  std::shared_ptr<TenantLoad> load_;  // of the login's tenant, once it was needed
  std::optional<MonotonicTime> pause_until_;
  std::optional<MonotonicTime> waiting_since_;  // for Redis's time
  std::optional<ScriptFlights::Units> script_;  // that is under way
  SlowLane::Place lane_place_{waker_};
  SentBatch batch_;
  RefusedAsBusy refused_;

  std::shared_ptr<TenantUpstreams> upstreams_;
  std::shared_ptr<UpstreamFsm> route_;  // where the unanswered requests are
  uint32_t outstanding_ = 0;            // replies, and texts of our own that wait for their turn
  std::optional<Held> held_;
  Transaction transaction_;
  std::optional<Subscriber> subscriber_;
  Subscriptions subscriptions_;
  size_t confirmations_ = 0;  // answers of the subscriber connection that are still to come
  size_t waiting_bytes_ = 0;  // of our own texts that wait for their turn
  std::string messages_;      // that came in the middle of a reply
  std::shared_ptr<TenantQuota> quota_;  // of the login's tenant, once it was needed
  OpenCharges charges_;
  Lookups lookups_;
  std::optional<QuotaWork> quota_work_;  // nothing else is looked at until it is done
  QuotaTry quota_try_;                   // about the request that is being looked at
  std::string quota_failure_;            // why nothing can be found out about it
  RemovedKeys removed_keys_;
  std::unique_ptr<KeyspaceWork> work_;  // nothing else is looked at until it is done
};

}  // namespace partywall::cache
