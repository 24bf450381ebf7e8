#include <algorithm>
#include <array>
#include <charconv>

#include "base/base64.h"
#include "identity/scram.h"

namespace partywall {
namespace {

constexpr std::string_view kVerifierPrefix = "SCRAM-SHA-256$";
constexpr size_t kSaltLength = 16;
constexpr size_t kMaxSaltLength = 256;
constexpr size_t kNonceLength = 24;

Sha256Digest digest_from(std::string_view bytes) {
  Sha256Digest digest{};
  std::ranges::copy(bytes, reinterpret_cast<char*>(digest.data()));
  return digest;
}

Result<> check_password(std::string_view password) {
  if (password.empty()) return fail(ErrorKind::kInvalid, "the password is empty");
  if (!std::ranges::all_of(password, [](char c) { return c >= 0x20 && c < 0x7F; })) {
    return fail(ErrorKind::kInvalid,
                "the password has a character outside printable ASCII, which SCRAM would have to "
                "normalise (SASLprep); choose one without");
  }
  return {};
}

// Cuts `text` at the first `separator`; without one everything is the head.
std::string_view cut(std::string_view& text, char separator) {
  const size_t position = text.find(separator);
  const std::string_view head = text.substr(0, position);
  text = position == text.npos ? std::string_view() : text.substr(position + 1);
  return head;
}

std::string random_bytes(Random& random, size_t count) {
  std::string bytes(count, '\0');
  random.fill({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

}  // namespace

Result<ScramVerifier> ScramVerifier::parse(std::string_view text) {
  // The text is a secret: no message repeats a part of it.
  auto malformed = [](std::string_view what) {
    return fail(ErrorKind::kInvalid,
                "not a SCRAM verifier ({}): expected "
                "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>",
                what);
  };
  if (!text.starts_with(kVerifierPrefix)) return malformed("wrong prefix");
  text.remove_prefix(kVerifierPrefix.size());
  const std::string_view iterations = cut(text, ':');
  const auto salt = base64_decode(cut(text, '$'));
  const auto stored_key = base64_decode(cut(text, ':'));
  const auto server_key = base64_decode(text);

  ScramVerifier verifier;
  const auto [end, error] =
      std::from_chars(iterations.begin(), iterations.end(), verifier.iterations);
  if (error != std::errc() || end != iterations.end() || verifier.iterations == 0 ||
      verifier.iterations > kMaxScramIterations) {
    return malformed("wrong iteration count");
  }
  if (!salt || salt->empty() || salt->size() > kMaxSaltLength) return malformed("wrong salt");
  if (!stored_key || stored_key->size() != verifier.stored_key.size())
    return malformed("wrong StoredKey");
  if (!server_key || server_key->size() != verifier.server_key.size())
    return malformed("wrong ServerKey");
  verifier.salt = *salt;
  verifier.stored_key = digest_from(*stored_key);
  verifier.server_key = digest_from(*server_key);
  return verifier;
}

std::string ScramVerifier::to_string() const {
  return fmt::format("{}{}:{}${}:{}", kVerifierPrefix, iterations, base64_encode(salt),
                     base64_encode(as_bytes(stored_key)), base64_encode(as_bytes(server_key)));
}

Result<ScramClientKeys> derive_scram_client_keys(const Secret& password, std::string_view salt,
                                                 uint32_t iterations) {
  if (auto usable = check_password(password.reveal()); !usable)
    return std::unexpected(usable.error());
  const Secret salted(std::string(as_bytes(pbkdf2_sha256(password.reveal(), salt, iterations))));
  return ScramClientKeys{
      .salt = std::string(salt),
      .iterations = iterations,
      .client_key = Secret(std::string(as_bytes(hmac_sha256(salted.reveal(), "Client Key")))),
      .server_key = Secret(std::string(as_bytes(hmac_sha256(salted.reveal(), "Server Key")))),
  };
}

Result<ScramVerifier> make_scram_verifier(std::string_view password, std::string_view salt,
                                          uint32_t iterations) {
  if (iterations == 0 || iterations > kMaxScramIterations || salt.empty() ||
      salt.size() > kMaxSaltLength) {
    return fail(ErrorKind::kInvalid,
                "a SCRAM verifier needs 1..{} iterations and a salt of 1..{} bytes",
                kMaxScramIterations, kMaxSaltLength);
  }
  const auto keys = derive_scram_client_keys(Secret(std::string(password)), salt, iterations);
  if (!keys) return std::unexpected(keys.error());
  ScramVerifier verifier;
  verifier.iterations = iterations;
  verifier.salt = salt;
  verifier.stored_key = sha256(keys->client_key.reveal());
  verifier.server_key = digest_from(keys->server_key.reveal());
  return verifier;
}

Result<ScramVerifier> make_scram_verifier(std::string_view password, Random& random) {
  return make_scram_verifier(password, random_bytes(random, kSaltLength));
}

ScramVerifier make_mock_scram_verifier(std::string_view user, const Secret& mock_key,
                                       uint32_t iterations) {
  auto derive = [&](std::string_view purpose) {
    return hmac_sha256(mock_key.reveal(), std::string(purpose).append(user));
  };
  ScramVerifier verifier;
  verifier.iterations = iterations;
  verifier.salt = as_bytes(derive("salt:")).substr(0, kSaltLength);
  verifier.stored_key = derive("stored:");
  verifier.server_key = derive("server:");
  verifier.is_mock = true;
  return verifier;
}

ScramVerifier select_scram_verifier(std::optional<std::string_view> stored, std::string_view user,
                                    const Secret& mock_key) {
  static constexpr std::string_view kStandIn =
      "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  ScramVerifier mock = make_mock_scram_verifier(user, mock_key);
  auto parsed = ScramVerifier::parse(stored.value_or(kStandIn));
  return stored && parsed ? std::move(*parsed) : std::move(mock);
}

std::string make_scram_nonce(Random& random) {
  return base64_encode(random_bytes(random, kNonceLength));
}

}  // namespace partywall
