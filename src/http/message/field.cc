#include "http/message/field.h"

#include <array>
#include <utility>

#include "base/ascii.h"
#include "http/message/characters.h"

namespace partywall::http {
namespace {

constexpr char fold(char c) {
  const char lower = to_lower(c);
  const bool plain = (lower >= 'a' && lower <= 'z') || is_digit(lower);
  return plain ? lower : '-';
}

// `pattern` is lower case with '-'.
constexpr bool folds_to(std::string_view text, std::string_view pattern) {
  return std::ranges::equal(text, pattern, [](char x, char p) { return fold(x) == p; });
}

constexpr bool starts_folded(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && folds_to(name.substr(0, prefix.size()), prefix);
}

struct KnownName {
  std::string_view name;  // lower case
  FieldKind kind;
};

constexpr std::array kExactNames = {
    KnownName{"authorization", FieldKind::kAuthorization},
    KnownName{"connection", FieldKind::kConnection},
    KnownName{"content-length", FieldKind::kContentLength},
    KnownName{"date", FieldKind::kDate},
    KnownName{"expect", FieldKind::kExpect},
    KnownName{"host", FieldKind::kHost},
    KnownName{"http2-settings", FieldKind::kHopByHop},
    KnownName{"keep-alive", FieldKind::kHopByHop},
    KnownName{"proxy-authenticate", FieldKind::kHopByHop},
    KnownName{"proxy-authorization", FieldKind::kHopByHop},
    KnownName{"proxy-connection", FieldKind::kHopByHop},
    KnownName{"te", FieldKind::kHopByHop},
    KnownName{"trailer", FieldKind::kHopByHop},
    KnownName{"transfer-encoding", FieldKind::kTransferEncoding},
    KnownName{"upgrade", FieldKind::kUpgrade},
    KnownName{"user-agent", FieldKind::kUserAgent},
    KnownName{"via", FieldKind::kVia},
};

// Most fields are none of these: bit n is set if some
// name of kExactNames has length n and begins with this letter.
constexpr auto kLengthsByFirstLetter = [] {
  std::array<uint32_t, 26> lengths{};
  for (const KnownName& known : kExactNames) {
    lengths[static_cast<size_t>(known.name.front() - 'a')] |= 1U << known.name.size();
  }
  return lengths;
}();

FieldKind kind_of_folded(std::string_view name) {
  if (starts_folded(name, "x-tenant-") || folds_to(name, "x-tenant")) return FieldKind::kTenant;
  if (starts_folded(name, "x-partywall-") || folds_to(name, "x-partywall")) {
    return FieldKind::kPartywall;
  }
  if (starts_folded(name, "x-forwarded-") || folds_to(name, "x-forwarded") ||
      folds_to(name, "x-real-ip")) {
    return FieldKind::kForwarded;
  }
  if (folds_to(name, "x-request-id")) return FieldKind::kRequestId;
  return FieldKind::kOther;
}

// "Transfer_Encoding" means nothing to HTTP but the real field to some servers: it goes no further.
FieldKind kind_of_disguised(std::string_view name) {
  const bool plain = std::ranges::all_of(name, [](char c) { return c == '-' || fold(c) != '-'; });
  if (plain) return FieldKind::kOther;
  const bool disguised = std::ranges::any_of(
      kExactNames, [&](const KnownName& known) { return folds_to(name, known.name); });
  return disguised ? FieldKind::kHopByHop : FieldKind::kOther;
}

}  // namespace

FieldKind kind_of_field(std::string_view name) {
  if (name.empty()) return FieldKind::kOther;
  const char first = to_lower(name.front());
  if (first < 'a' || first > 'z') return FieldKind::kOther;
  if (first == 'x') return kind_of_folded(name);
  if (first == 'f' && folds_to(name, "forwarded")) return FieldKind::kForwarded;
  const uint32_t lengths = kLengthsByFirstLetter[static_cast<size_t>(first - 'a')];
  if (name.size() > 31 || !(lengths & (1U << name.size()))) return FieldKind::kOther;
  for (const KnownName& known : kExactNames) {
    if (equal_ignoring_case(name, known.name)) return known.kind;
  }
  return kind_of_disguised(name);
}

}  // namespace partywall::http
