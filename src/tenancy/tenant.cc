#include "tenancy/tenant.h"

#include <algorithm>
#include <array>

namespace partywall {
namespace {

constexpr size_t kMaxSlugLength = 40;
constexpr size_t kMaxCacheTagLength = 40;

struct StatusName {
  TenantStatus status;
  std::string_view name;
};
constexpr std::array<StatusName, 8> kStatusNames = {{
    {TenantStatus::kRequested, "requested"},
    {TenantStatus::kProvisioning, "provisioning"},
    {TenantStatus::kActive, "active"},
    {TenantStatus::kReadOnly, "read_only"},
    {TenantStatus::kSuspended, "suspended"},
    {TenantStatus::kOffboarding, "offboarding"},
    {TenantStatus::kErasing, "erasing"},
    {TenantStatus::kErased, "erased"},
}};

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_slug_character(char c) { return is_lower(c) || is_digit(c) || c == '-'; }

}  // namespace

std::string_view to_string(TenantStatus status) {
  for (const StatusName& entry : kStatusNames) {
    if (entry.status == status) return entry.name;
  }
  return "unknown";
}

Result<TenantStatus> parse_tenant_status(std::string_view text) {
  for (const StatusName& entry : kStatusNames) {
    if (entry.name == text) return entry.status;
  }
  return fail(ErrorKind::kInvalid, "{}: no such tenant status", text);
}

Result<> check_slug(std::string_view slug) {
  if (slug.empty() || slug.size() > kMaxSlugLength || !is_lower(slug.front()) ||
      slug.back() == '-' || !std::ranges::all_of(slug, is_slug_character)) {
    return fail(ErrorKind::kInvalid,
                "'{}' is not a slug: use 1 to {} of a-z, 0-9 and '-', starting with a letter and "
                "not ending with '-'",
                slug, kMaxSlugLength);
  }
  // Claims and users name a tenant by UUID or slug: no tenant may be called what another one's id
  // is.
  if (Uuid::parse(slug)) {
    return fail(ErrorKind::kInvalid, "'{}' is not a slug: it is the form of a tenant's id", slug);
  }
  return {};
}

Result<> check_cache_tag(std::string_view tag) {
  if (!tag.empty() && tag.size() <= kMaxCacheTagLength &&
      std::ranges::all_of(tag, is_slug_character)) {
    return {};
  }
  return fail(ErrorKind::kInvalid, "'{}' is not a tag: use 1 to {} of a-z, 0-9 and '-'", tag,
              kMaxCacheTagLength);
}

}  // namespace partywall
