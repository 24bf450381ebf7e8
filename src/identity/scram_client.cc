#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "identity/scram.h"
#include "identity/scram_message.h"

namespace partywall {
namespace {

constexpr size_t kMaxShownErrorLength = 64;

Result<uint32_t> parse_iterations(std::string_view text, uint32_t most) {
  uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), count);
  if (error != std::errc() || end != text.end() || count == 0) {
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: wrong iteration count");
  }
  if (count > most) {
    return fail(ErrorKind::kInvalid, "the server asks for {} SCRAM iterations; at most {} are done",
                count, most);
  }
  return count;
}

// The server's word for what went wrong, made fit for a log.
std::string shown(std::string_view text) {
  std::string result(text.substr(0, kMaxShownErrorLength));
  std::ranges::replace_if(result, [](char c) { return c < 0x20 || c >= 0x7F; }, '?');
  return result;
}

}  // namespace

ScramClientFsm::ScramClientFsm(Secret password, std::optional<ScramClientKeys> cached,
                               ScramChannelBinding binding, std::string nonce,
                               uint32_t max_iterations)
    : password_(std::move(password)),
      binding_(std::move(binding)),
      nonce_(std::move(nonce)),
      max_iterations_(max_iterations) {
  if (cached) keys_ = std::move(*cached);
}

Result<std::string_view> ScramClientFsm::choose_mechanism(const std::vector<std::string>& offered) {
  if (state_ != State::kExpectMechanisms)
    return fail(ErrorKind::kInvalid, "the SASL offer came out of turn");
  const bool plus = std::ranges::count(offered, kScramPlusMechanism) > 0;
  const bool plain = std::ranges::count(offered, kScramMechanism) > 0;
  if (plus && binding_.available()) {
    mechanism_ = kScramPlusMechanism;
    gs2_header_ = "p=tls-server-end-point,,";
  } else if (plain) {
    mechanism_ = kScramMechanism;
    // "y" lets the server notice that somebody removed its offer of -PLUS.
    gs2_header_ = binding_.available() ? "y,," : "n,,";
  } else {
    state_ = State::kFailed;
    return fail(ErrorKind::kInvalid,
                "the server offers no SASL mechanism that we can use; it must offer {}",
                kScramMechanism);
  }
  state_ = State::kSendFirst;
  return mechanism_;
}

Result<std::string> ScramClientFsm::first_message() {
  if (state_ != State::kSendFirst)
    return fail(ErrorKind::kInvalid, "no SCRAM exchange is to be started now");
  state_ = State::kExpectServerFirst;
  // PostgreSQL takes the user from its start-up packet and wants this one empty or ignores it.
  auth_message_ = "n=,r=" + nonce_;
  return gs2_header_ + auth_message_;
}

Result<std::string> ScramClientFsm::respond_to_first(std::string_view server_first) {
  if (state_ != State::kExpectServerFirst) {
    return fail(ErrorKind::kInvalid, "the server's SCRAM message is out of turn");
  }
  auto answer = answer_first(server_first);
  state_ = answer ? State::kExpectServerFinal : State::kFailed;
  return answer;
}

Result<std::string> ScramClientFsm::answer_first(std::string_view server_first) {
  if (auto fine = scram::check_message(server_first); !fine) return std::unexpected(fine.error());
  scram::AttributeReader reader(server_first);
  const auto nonce = reader.require('r');
  if (!nonce) return std::unexpected(nonce.error());
  const auto salt_text = reader.require('s');
  if (!salt_text) return std::unexpected(salt_text.error());
  const auto iterations_text = reader.require('i');
  if (!iterations_text) return std::unexpected(iterations_text.error());
  const auto iterations = parse_iterations(*iterations_text, max_iterations_);
  if (!iterations) return std::unexpected(iterations.error());
  if (auto rest = reader.skip_extensions(); !rest) return std::unexpected(rest.error());

  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size() ||
      !scram::is_valid_nonce(*nonce)) {
    return fail(ErrorKind::kInvalid, "the server's SCRAM nonce does not continue ours");
  }
  const auto salt = base64_decode(*salt_text);
  if (!salt || salt->empty())
    return fail(ErrorKind::kInvalid, "malformed SCRAM message: wrong salt");
  if (keys_.salt != *salt || keys_.iterations != *iterations) {
    auto derived = derive_scram_client_keys(password_, *salt, *iterations);
    if (!derived) return std::unexpected(derived.error());
    keys_ = std::move(*derived);
  }

  const bool is_bound = mechanism_ == kScramPlusMechanism;
  const std::string without_proof =
      fmt::format("c={},r={}",
                  base64_encode(gs2_header_ + (is_bound ? binding_.server_end_point : "")), *nonce);
  auth_message_ = fmt::format("{},{},{}", auth_message_, server_first, without_proof);
  const Sha256Digest stored_key = sha256(keys_.client_key.reveal());
  const Sha256Digest proof = scram::exclusive_or(hmac_sha256(as_bytes(stored_key), auth_message_),
                                                 keys_.client_key.reveal());
  return fmt::format("{},p={}", without_proof, base64_encode(as_bytes(proof)));
}

Result<> ScramClientFsm::check_final(std::string_view server_final) {
  if (state_ != State::kExpectServerFinal) {
    return fail(ErrorKind::kInvalid, "the server's SCRAM message is out of turn");
  }
  state_ = State::kFailed;
  if (auto fine = scram::check_message(server_final); !fine) return fine;
  if (server_final.starts_with("e=")) {
    return fail(ErrorKind::kDenied, "the server refused the password: {}",
                shown(server_final.substr(2)));
  }
  scram::AttributeReader reader(server_final);
  const auto signature_text = reader.require('v');
  if (!signature_text) return std::unexpected(signature_text.error());
  if (auto rest = reader.skip_extensions(); !rest) return rest;
  const auto signature = base64_decode(*signature_text);
  const Sha256Digest expected = hmac_sha256(keys_.server_key.reveal(), auth_message_);
  if (!signature || !constant_time_equal(*signature, as_bytes(expected))) {
    return fail(ErrorKind::kDenied, "the server could not prove that it knows the password");
  }
  state_ = State::kDone;
  return {};
}

}  // namespace partywall
