#include "identity/jws.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/base64.h"
#include "identity/token_refusal.h"

namespace partywall {
namespace {

constexpr size_t kMaxHeaderBytes = 2048;
constexpr size_t kMaxDepth = 16;

// A header may choose one of the issuer's keys, never bring one along (RFC 8725 section 3.10).
constexpr std::array<std::string_view, 4> kOwnKeyMembers = {"jku", "jwk", "x5u", "x5c"};

// The three parts between the dots; false if there are not exactly three, none of them empty.
bool split_compact(std::string_view token, std::array<std::string_view, 3>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t dot = token.find('.');
    if ((dot == std::string_view::npos) != (i == parts.size() - 1)) return false;
    parts[i] = token.substr(0, dot);
    if (parts[i].empty()) return false;
    token.remove_prefix(dot == std::string_view::npos ? token.size() : dot + 1);
  }
  return true;
}

Result<JsonValue> decode_object(std::string_view part, std::string_view what, size_t max_bytes) {
  const auto text = base64url_decode(part);
  if (!text) return denied(fmt::format("the {} of the token is not canonical base64url", what));
  auto value = JsonValue::parse(*text, {.max_bytes = max_bytes, .max_depth = kMaxDepth});
  if (!value || value->as_object() == nullptr) {
    return denied(fmt::format("the {} of the token is not a strict JSON object", what));
  }
  return value;
}

// Explicit typing (RFC 8725 section 3.11): other kinds of token of the same issuer, such as logout
// tokens and proofs of possession, are no access tokens. RFC 7515 section 4.1.9: case does not
// matter and "application/" may be left out.
bool is_jwt_type(const JsonValue& type) {
  if (type.as_string() == nullptr) return false;
  std::string name = to_lower(*type.as_string());
  constexpr std::string_view kMediaPrefix = "application/";
  if (name.starts_with(kMediaPrefix)) name.erase(0, kMediaPrefix.size());
  return name == "jwt" || name == "at+jwt";
}

Result<> check_header(const JsonValue& header) {
  for (const std::string_view name : kOwnKeyMembers) {
    if (header.find(name) != nullptr)
      return denied(fmt::format("the token brings its own key: {} is not accepted", name));
  }
  if (header.find("crit") != nullptr)
    return denied("the token has critical extensions (crit), which are not accepted");
  if (const JsonValue* type = header.find("typ"); type != nullptr && !is_jwt_type(*type)) {
    return denied("the typ of the token is neither JWT nor at+jwt");
  }
  const JsonValue* id = header.find("kid");
  if (id != nullptr && (id->as_string() == nullptr || id->as_string()->empty() ||
                        id->as_string()->size() > kMaxKeyIdLength)) {
    return denied(
        fmt::format("the kid of the token is not a string of 1 to {} bytes", kMaxKeyIdLength));
  }
  return {};
}

}  // namespace

Result<Jws> parse_jws(std::string_view token, size_t max_length) {
  if (token.size() > max_length)
    return denied(fmt::format("the token has more than {} bytes", max_length));
  std::array<std::string_view, 3> parts;
  if (!split_compact(token, parts))
    return denied("the token is not a signed JSON Web Token in compact form");
  const auto header = decode_object(parts[0], "header", kMaxHeaderBytes);
  if (!header) return std::unexpected(header.error());
  if (auto accepted = check_header(*header); !accepted) return std::unexpected(accepted.error());
  const std::string* name = header->find_string("alg");
  const JwtAlgorithmInfo* algorithm = name ? find_jwt_algorithm(*name) : nullptr;
  if (algorithm == nullptr) return denied("the algorithm (alg) of the token is not accepted");
  auto claims = decode_object(parts[1], "payload", max_length);
  if (!claims) return std::unexpected(claims.error());
  auto signature = base64url_decode(parts[2]);
  if (!signature) return denied("the signature of the token is not canonical base64url");
  const std::string* id = header->find_string("kid");
  return Jws{.algorithm = algorithm->algorithm,
             .key_id = id ? std::optional(*id) : std::nullopt,
             .claims = std::move(*claims),
             .signed_text = token.substr(0, parts[0].size() + 1 + parts[1].size()),
             .signature = std::move(*signature)};
}

}  // namespace partywall
