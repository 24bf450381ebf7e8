#include "base/base64.h"
#include "identity/scram.h"
#include "identity/scram_message.h"

namespace partywall {
namespace {

constexpr std::string_view kBindingFlag = "p=tls-server-end-point";

// The GS2 header (RFC 5802 section 7): binding flag, authorisation identity, each with its comma.
Result<std::string_view> split_gs2_header(std::string_view& message) {
  const size_t flag_end = message.find(',');
  const size_t header_end =
      flag_end == message.npos ? message.npos : message.find(',', flag_end + 1);
  if (header_end == message.npos) {
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: it has no GS2 header");
  }
  if (header_end != flag_end + 1) {
    return fail(ErrorKind::kInvalid,
                "the client wants to act as somebody else, which is not supported");
  }
  const std::string_view header = message.substr(0, header_end + 1);
  message.remove_prefix(header_end + 1);
  return header;
}

}  // namespace

ScramServerFsm::ScramServerFsm(ScramVerifier verifier, ScramChannelBinding binding,
                               std::string nonce)
    : verifier_(std::move(verifier)), binding_(std::move(binding)), nonce_(std::move(nonce)) {}

Result<std::string> ScramServerFsm::respond_to_first(std::string_view mechanism,
                                                     std::string_view client_first) {
  if (state_ != State::kExpectFirst)
    return fail(ErrorKind::kInvalid, "this SCRAM message is out of turn");
  auto answer = answer_first(mechanism, client_first);
  state_ = answer ? State::kExpectFinal : State::kFailed;
  return answer;
}

Result<std::string> ScramServerFsm::respond_to_final(std::string_view client_final) {
  if (state_ != State::kExpectFinal)
    return fail(ErrorKind::kInvalid, "this SCRAM message is out of turn");
  auto answer = answer_final(client_final);
  state_ = answer ? State::kAuthenticated : State::kFailed;
  return answer;
}

Result<std::string> ScramServerFsm::answer_first(std::string_view mechanism,
                                                 std::string_view client_first) {
  if (auto fine = scram::check_message(client_first); !fine) return std::unexpected(fine.error());
  std::string_view bare = client_first;
  const auto header = split_gs2_header(bare);
  if (!header) return std::unexpected(header.error());
  const auto flag = header->substr(0, header->find(','));
  if (auto fine = check_binding_flag(mechanism, flag); !fine) return std::unexpected(fine.error());

  scram::AttributeReader reader(bare);
  if (auto user = reader.require('n'); !user) return std::unexpected(user.error());
  const auto client_nonce = reader.require('r');
  if (!client_nonce) return std::unexpected(client_nonce.error());
  if (!scram::is_valid_nonce(*client_nonce)) {
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: the nonce is not printable");
  }
  if (auto rest = reader.skip_extensions(); !rest) return std::unexpected(rest.error());

  gs2_header_ = *header;
  nonce_.insert(0, *client_nonce);
  std::string server_first =
      fmt::format("r={},s={},i={}", nonce_, base64_encode(verifier_.salt), verifier_.iterations);
  auth_message_ = fmt::format("{},{}", bare, server_first);
  return server_first;
}

// RFC 5802 section 6. "y" says: I could bind, but you do not offer it. Where we do offer it,
// somebody in between has removed the offer.
Result<> ScramServerFsm::check_binding_flag(std::string_view mechanism,
                                            std::string_view flag) const {
  if (mechanism == kScramPlusMechanism) {
    if (!binding_.available()) {
      return fail(ErrorKind::kInvalid, "{} was not offered on this connection", mechanism);
    }
    if (flag == kBindingFlag) return {};
    return fail(ErrorKind::kInvalid, "{} needs channel binding of type tls-server-end-point",
                mechanism);
  }
  if (mechanism != kScramMechanism) {
    return fail(ErrorKind::kInvalid,
                "the client chose an authentication mechanism that was not offered");
  }
  if (flag == "n" || (flag == "y" && !binding_.available())) return {};
  if (flag == "y") {
    return fail(ErrorKind::kDenied,
                "the client believes that channel binding is not offered here, but it is: "
                "somebody in between may have removed it");
  }
  return fail(ErrorKind::kInvalid, "malformed SCRAM message: the binding flag does not fit {}",
              mechanism);
}

Result<std::string> ScramServerFsm::answer_final(std::string_view client_final) {
  if (auto fine = scram::check_message(client_final); !fine) return std::unexpected(fine.error());
  // The proof is the last attribute; everything before it is signed.
  const size_t proof_start = client_final.rfind(",p=");
  if (proof_start == client_final.npos) {
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: it has no proof");
  }
  const std::string_view without_proof = client_final.substr(0, proof_start);
  const auto proof = base64_decode(client_final.substr(proof_start + 3));
  scram::AttributeReader reader(without_proof);
  const auto binding_text = reader.require('c');
  if (!binding_text) return std::unexpected(binding_text.error());
  const auto nonce = reader.require('r');
  if (!nonce) return std::unexpected(nonce.error());
  if (auto rest = reader.skip_extensions(); !rest) return std::unexpected(rest.error());

  if (*nonce != nonce_)
    return fail(ErrorKind::kInvalid, "the SCRAM nonce is not the one of this exchange");
  const bool is_bound = gs2_header_.starts_with('p');
  const auto bound_to = base64_decode(*binding_text);
  if (!bound_to || *bound_to != gs2_header_ + (is_bound ? binding_.server_end_point : "")) {
    return fail(is_bound ? ErrorKind::kDenied : ErrorKind::kInvalid,
                "the SCRAM channel binding does not fit this connection");
  }
  if (!proof || proof->size() != sizeof(Sha256Digest)) {
    return fail(ErrorKind::kInvalid,
                "malformed SCRAM message: the proof is not base64 of 32 bytes");
  }
  auth_message_.append(",").append(without_proof);
  if (!is_proof_right(*proof, auth_message_))
    return fail(ErrorKind::kDenied, "wrong user name or password");
  return "v=" + base64_encode(as_bytes(hmac_sha256(as_bytes(verifier_.server_key), auth_message_)));
}

bool ScramServerFsm::is_proof_right(std::string_view proof, std::string_view auth_message) const {
  const Sha256Digest signature = hmac_sha256(as_bytes(verifier_.stored_key), auth_message);
  const Sha256Digest client_key = scram::exclusive_or(signature, proof);
  const bool matches =
      constant_time_equal(as_bytes(sha256(as_bytes(client_key))), as_bytes(verifier_.stored_key));
  return matches && !verifier_.is_mock;
}

}  // namespace partywall
