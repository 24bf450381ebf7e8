#include "base/ascii.h"
#include "base/text.h"
#include "cache/clients/client_answers.h"
#include "cache/keyspace_work.h"
#include "cache/session_fsm.h"
#include "cache/tenant_user.h"

// Who a session is.
namespace partywall::cache {
namespace {

std::string refused_login(const Error& error) {
  return make_error((error.kind == ErrorKind::kLimit ? "LIMIT " : "WRONGPASS ") + error.message);
}

struct HelloOptions {
  Protocol protocol = Protocol::kResp2;
  std::optional<std::pair<std::string_view, std::string_view>> auth;
  std::optional<std::string_view> name;
};

// HELLO [protocol [AUTH user password] [SETNAME name]]; kInvalid with the error to answer.
Result<HelloOptions> parse_hello(const Request& request, Protocol current) {
  HelloOptions options{.protocol = current};
  ArgumentCursor cursor(request);
  cursor.next();
  if (const auto version = cursor.next()) {
    if (!parse_unsigned(*version)) {
      return fail(ErrorKind::kInvalid, "ERR Protocol version is not an integer or out of range");
    }
    if (*version != "2" && *version != "3")
      return fail(ErrorKind::kInvalid, "NOPROTO unsupported protocol version");
    options.protocol = *version == "2" ? Protocol::kResp2 : Protocol::kResp3;
  }
  while (const auto option = cursor.next()) {
    if (equal_ignoring_case(*option, "auth") && cursor.left() >= 2) {
      const auto user = cursor.next();
      options.auth.emplace(*user, *cursor.next());
    } else if (equal_ignoring_case(*option, "setname") && cursor.left() >= 1) {
      options.name = cursor.next();
      if (!is_client_name(*options.name)) {
        return fail(ErrorKind::kInvalid,
                    "ERR Client names cannot contain spaces, newlines or special characters.");
      }
    } else {
      return fail(ErrorKind::kInvalid, "ERR Syntax error in HELLO option '{}'",
                  option->substr(0, 128));
    }
  }
  return options;
}

}  // namespace

// Looks the tenant up anew in each turn, so that a change of the directory counts at once.
void SessionFsm::bind_tenant(Turn& turn) {
  if (!login_) return;
  const Directory& directory = *host_.directory;
  const Tenant* tenant = directory.find_tenant(login_->tenant);
  if (directory_version_ != directory.version()) {
    directory_version_ = directory.version();
    upstreams_ = nullptr;  // the tenant may have moved
    if (tenant == nullptr || !still_granted(directory, *login_)) return log_out(turn);
  }
  turn.tenant = tenant;
  number_ = tenant->number;
  turn.expired = login_->expires_at && host_.time.wall() >= *login_->expires_at;
}

LoginAuthority SessionFsm::login_authority() {
  return {.directory = *host_.directory,
          .issuers = host_.issuers,
          .tokens = host_.tokens,
          .now = host_.time.wall()};
}

SessionFsm::Next SessionFsm::handle_auth(const Request& request, Turn& turn) {
  if (!all_answered(turn)) return Next::kWait;
  if (transaction_.open || !subscriptions_.empty()) {
    log_out(turn);
    return reply(turn, make_error("ERR AUTH inside MULTI or while subscribed is not allowed; both "
                                  "and the login have ended"));
  }
  ArgumentCursor cursor(request);
  cursor.next();
  Result<Login> login = fail(ErrorKind::kDenied, "");
  if (request.argument_count == 2) {
    login = check_login(login_authority(), request.first);
  } else if (request.argument_count == 3) {
    const auto user = cursor.next();
    login = check_login(login_authority(), *user, *cursor.next());
  } else {
    log_out(turn);
    return reply(turn, make_error(wrong_arguments("auth")));
  }
  const auto done = log_in(std::move(login), turn);
  return reply(turn, done ? "+OK\r\n" : refused_login(done.error()));
}

SessionFsm::Next SessionFsm::handle_hello(const Request& request, Turn& turn) {
  if (!all_answered(turn)) return Next::kWait;
  const auto options = parse_hello(request, protocol_);
  if (!options) {
    if (request.argument_count > 2) log_out(turn);  // it may have been meant to log in
    return reply(turn, make_error(options.error().message));
  }
  // A transaction and a subscription live on connections that speak the old protocol, for the old
  // login.
  const bool switches = options->protocol != protocol_;
  const bool subscribed = !subscriptions_.empty();
  if (transaction_.open || (subscribed && (options->auth || switches)) ||
      (transaction_.watching && !options->auth && switches)) {
    if (options->auth) log_out(turn);
    return refuse(turn, "ERR HELLO is not available inside MULTI, after WATCH or while subscribed");
  }
  if (options->auth) {
    const auto [user, password] = *options->auth;
    const auto done = log_in(check_login(login_authority(), user, password), turn);
    if (!done) return reply(turn, refused_login(done.error()));
  }
  if (!login_) {
    return reply(turn, make_error("NOAUTH HELLO must be called with the client already "
                                  "authenticated, otherwise the HELLO "
                                  "<proto> AUTH <user> <pass> option can be used to authenticate "
                                  "the client and select the "
                                  "RESP protocol version at the same time"));
  }
  if (protocol_ != options->protocol) {
    protocol_ = options->protocol;
    upstreams_ = nullptr;
    turn.shared = nullptr;
  }
  if (options->name) self_.name = *options->name;
  register_self();
  return reply(turn, hello_answer(view(), {}));
}

SessionFsm::Next SessionFsm::handle_reset(Turn& turn) {
  if (!all_answered(turn)) return Next::kWait;
  log_out(turn);
  protocol_ = Protocol::kResp2;
  self_.name.clear();
  replies_ = Replies::kOn;
  database_ = 0;
  return reply(turn, "+RESET\r\n");
}

// Ends the login that was there in any case: were it kept after a refused AUTH, the requests that
// follow it in the same packet would run for the wrong tenant.
Result<> SessionFsm::log_in(Result<Login> login, Turn& turn) {
  log_out(turn);
  if (!login) {
    if (++failed_logins_ >= host_.limits.max_failed_logins) closing_ = true;
    return std::unexpected(login.error());
  }
  failed_logins_ = 0;
  login_ = std::move(*login);
  directory_version_ = host_.directory->version();
  bind_tenant(turn);
  if (number_) {
    seat_ = host_.seats.take(*number_);
    if (!seat_) {
      log_out(turn);
      closing_ = true;
      return fail(ErrorKind::kLimit, "this tenant has {} clients already, close some of them",
                  host_.seats.limit());
    }
  }
  register_self();
  return {};
}

// What a session asked for before goes on by itself only where it holds a connection: everything
// else is looked at with the next request.
void SessionFsm::directory_changed() {
  if ((!held_ && !subscriber_ && !tracking_ && !work_) || !login_) return;
  const Tenant* tenant = host_.directory->find_tenant(login_->tenant);
  const bool fits = tenant != nullptr && still_granted(*host_.directory, *login_) &&
                    (!held_ || host_.upstreams.is_current(held_->owner->target())) &&
                    (!subscriber_ || (host_.upstreams.is_current(subscriber_->owner->target()) &&
                                      subscriber_->names == names_of(*tenant))) &&
                    (!work_ || host_.upstreams.is_current(work_->tenant->target())) &&
                    (!tracking_ || (host_.upstreams.is_current(tracking_->feed->target()) &&
                                    tracking_->feed->names() == names_of(*tenant)));
  if (fits) return;
  drop_work();
  drop_held();
  drop_subscriber();
  closing_ = true;
  waker_.wake();
}

void SessionFsm::log_out(Turn& turn) {
  leave_quota();
  load_ = nullptr;
  lane_place_.leave();
  end_tracking();
  drop_held();
  drop_subscriber();
  transaction_ = {};
  flushing_.reset();
  upstreams_ = nullptr;
  turn.shared = nullptr;
  turn.tenant = nullptr;
  turn.names_seed.reset();
  turn.expired = false;
  if (login_) host_.clients.leave(id_);
  login_.reset();
  number_.reset();
  seat_.reset();
}

}  // namespace partywall::cache
