#include "sql/client/client_login_fsm.h"

#include "sql/door_errors.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/message.h"

namespace partywall::sql {
namespace {

// Authentication requests (documentation, "Message Formats").
constexpr uint32_t kCleartextPassword = 3;
constexpr uint32_t kSasl = 10;
constexpr uint32_t kSaslContinue = 11;
constexpr uint32_t kSaslFinal = 12;

SqlError startup_error(StartupProblem problem) {
  if (problem == StartupProblem::kUnsupportedVersion) return errors::unsupported_protocol();
  const bool no_user = problem == StartupProblem::kNoUser;
  return {
      no_user ? sqlstate::kInvalidAuthorization : sqlstate::kProtocolViolation,
      no_user ? "no PostgreSQL user name specified in startup packet" : "invalid startup packet",
      "", Severity::kFatal};
}

bool asks_for_replication(const StartupRequest& request) {
  for (const auto& [name, value] : request.parameters) {
    if (name == "replication" && value != "false" && value != "off" && value != "no" &&
        value != "0")
      return true;
  }
  return false;
}

}  // namespace

ClientLoginFsm::ClientLoginFsm(net::Peer peer, Tls tls, std::function<LoginAuthority()> authority,
                               Random& random)
    : peer_(std::move(peer)), tls_(tls), authority_(std::move(authority)), random_(random) {}

ClientLoginFsm::Action ClientLoginFsm::receive(std::string_view& input, std::string& out) {
  while (true) {
    const State before = state_;
    const int requests_before = encryption_requests_;
    const Action action =
        state_ == State::kStartup ? on_startup(input, out) : on_password_message(input, out);
    const bool moved = state_ != before || encryption_requests_ != requests_before;
    if (action != Action::kNeedMore || !moved) return action;
  }
}

void ClientLoginFsm::start_encrypted(net::Peer peer) { peer_ = std::move(peer); }

ClientLoginFsm::Action ClientLoginFsm::on_startup(std::string_view& input, std::string& out) {
  auto packet = read_startup_packet(input);
  if (!packet) {
    if (packet.error() == StartupProblem::kIncomplete) return Action::kNeedMore;
    return close(startup_error(packet.error()), out);
  }
  input.remove_prefix(packet->consumed);
  if (const auto* cancel = std::get_if<CancelRequest>(&packet->packet)) {
    cancel_ = *cancel;
    return Action::kCancel;
  }
  if (auto* request = std::get_if<StartupRequest>(&packet->packet)) {
    request_ = std::move(*request);
    return on_startup_request(out);
  }
  // A request for encryption, at most one of each kind and none once encrypted. What comes with it
  // would be taken for something said under encryption (CVE-2021-23214).
  if (++encryption_requests_ > 2 || !input.empty() || peer_.encrypted)
    return close(startup_error(StartupProblem::kMalformed), out);
  if (std::holds_alternative<SslRequest>(packet->packet) && tls_ != Tls::kUnavailable) {
    out.push_back('S');
    return Action::kStartTls;
  }
  out.push_back('N');
  return Action::kNeedMore;
}

ClientLoginFsm::Action ClientLoginFsm::on_startup_request(std::string& out) {
  if (tls_ == Tls::kRequired && !peer_.encrypted && !peer_.endpoint.is_unix())
    return close(errors::tls_required(), out);
  if (asks_for_replication(request_)) return close(errors::replication_refused(), out);
  if (request_.minor_version > kProtocolMinor || !request_.protocol_options.empty()) {
    append_negotiate_protocol_version(out, request_.protocol_options);
  }
  auto demand = demand_proof(request_, peer_, authority_());
  if (!demand) return close(demand.error(), out);
  if (demand->method == ProofMethod::kToken) {
    MessageWriter(out, 'R').u32(kCleartextPassword);
    state_ = State::kToken;
  } else {
    MessageWriter(out, 'R').u32(kSasl).c_string(kScramMechanism).u8(0);
    scram_.emplace(std::move(demand->verifier), ScramChannelBinding{}, make_scram_nonce(random_));
    state_ = State::kSaslFirst;
  }
  return Action::kNeedMore;
}

ClientLoginFsm::Action ClientLoginFsm::on_password_message(std::string_view& input,
                                                           std::string& out) {
  const auto head = read_client_head(input);
  if (!head && head.error() == HeadProblem::kIncomplete) return Action::kNeedMore;
  if (!head || head->type != 'p') return close(startup_error(StartupProblem::kMalformed), out);
  if (input.size() < head->total_length()) return Action::kNeedMore;
  const std::string_view body = input.substr(kHeadLength, head->body_length);
  input.remove_prefix(head->total_length());
  switch (state_) {
    case State::kSaslFirst:
      return on_sasl_first(body, out);
    case State::kSaslFinal:
      return on_sasl_final(body, out);
    default:
      break;
  }
  FieldReader reader(body);
  const std::string_view token = reader.c_string();
  if (!reader.ok_and_at_end()) return close(startup_error(StartupProblem::kMalformed), out);
  return finish(token, out);
}

ClientLoginFsm::Action ClientLoginFsm::on_sasl_first(std::string_view body, std::string& out) {
  FieldReader reader(body);
  const std::string_view mechanism = reader.c_string();
  const uint32_t length = reader.u32();
  const std::string_view message = reader.bytes(length);
  if (!reader.ok_and_at_end()) return close(startup_error(StartupProblem::kMalformed), out);
  const auto answer = scram_->respond_to_first(mechanism, message);
  if (!answer) return close(errors::login_failed(request_.user), out);
  MessageWriter(out, 'R').u32(kSaslContinue).bytes(*answer);
  state_ = State::kSaslFinal;
  return Action::kNeedMore;
}

ClientLoginFsm::Action ClientLoginFsm::on_sasl_final(std::string_view body, std::string& out) {
  const auto answer = scram_->respond_to_final(body);
  if (!answer || !scram_->is_authenticated())
    return close(errors::login_failed(request_.user), out);
  MessageWriter(out, 'R').u32(kSaslFinal).bytes(*answer);
  return finish(std::nullopt, out);
}

ClientLoginFsm::Action ClientLoginFsm::finish(std::optional<std::string_view> token,
                                              std::string& out) {
  auto admitted = admit(request_, peer_, token, authority_());
  if (!admitted) return close(admitted.error(), out);
  admission_ = std::move(*admitted);
  state_ = State::kDone;
  return Action::kAdmitted;
}

ClientLoginFsm::Action ClientLoginFsm::close(SqlError error, std::string& out) {
  error.severity = Severity::kFatal;
  append_error(out, error);
  state_ = State::kDone;
  return Action::kClose;
}

}  // namespace partywall::sql
