#include <algorithm>

#include "base/text.h"
#include "embedded/tour/steps.h"

namespace partywall::embedded {
namespace {

std::string join_names(const std::map<std::string, int64_t>& products) {
  constexpr size_t kMost = 3;
  std::string text;
  size_t count = 0;
  for (const auto& [name, id] : products) {
    if (count++ == kMost) return text + " …";
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

bool share_a_name(const std::map<std::string, int64_t>& a,
                  const std::map<std::string, int64_t>& b) {
  return std::ranges::any_of(a, [&b](const auto& entry) { return b.contains(entry.first); });
}

void list_products(TourReport& report, Visitor& visitor, const TourTenant& who,
                   std::map<std::string, int64_t>& into) {
  into = visitor.products().value_or(std::map<std::string, int64_t>());
  report.saw(!into.empty(), "{} ({} tier) lists its products: {} of them: {}", who.tenant.slug,
             who.tenant.tier, into.size(), join_names(into));
}

struct Refusal {
  int status = 0;
  std::string retry_after{};
  int admitted = 0;
};

// Asks as fast as it can until it is told to wait.
Refusal ask_until_refused(Visitor& visitor, int most) {
  Refusal refusal;
  for (; refusal.admitted < most; ++refusal.admitted) {
    const auto answer = visitor.get("/api/products?limit=1");
    refusal.status = answer.status;
    refusal.retry_after = answer.header("Retry-After").value_or("");
    if (answer.status != 200) break;
  }
  return refusal;
}

}  // namespace

void visit_own_products(Tour& tour) {
  tour.report.heading(
      "Each tenant sees its own products, from the same tables and the same application");
  list_products(tour.report, tour.small, tour.plan.small, tour.small_products);
  list_products(tour.report, tour.large, tour.plan.large, tour.large_products);
  tour.report.saw(!share_a_name(tour.small_products, tour.large_products),
                  "no product is in both lists");
}

void try_the_http_door(Tour& tour) {
  const DemoTenant& small = tour.plan.small.tenant;
  const DemoTenant& large = tour.plan.large.tenant;
  tour.report.heading(
      fmt::format("{} tries to reach {} through the http door", small.slug, large.slug));

  const int64_t foreign = tour.large_products.empty() ? 0 : tour.large_products.begin()->second;
  const auto by_id = tour.small.get(fmt::format("/api/products/{}", foreign));
  tour.report.saw(by_id.status == 404, "asks for product {}, which is {}'s: {}", foreign,
                  large.slug, by_id.status);

  const auto spoofed = tour.small.products({{"X-Tenant-Id", large.id.value().to_string()},
                                            {"X-Tenant-Slug", large.slug},
                                            {"X-Partywall-Context", "pw1.forged.forged"}});
  tour.report.saw(spoofed == tour.small_products,
                  "claims to be {} in X-Tenant-Id and X-Partywall-Context: sees its own products",
                  large.slug);

  std::string forged = with_claim_of(tour.plan.small.token, small.id.value().to_string(),
                                     large.id.value().to_string());
  if (forged.empty()) forged = with_claim_of(tour.plan.small.token, small.slug, large.slug);
  const auto refused = Visitor(tour.plan.http, forged).get("/api/products");
  tour.report.saw(!forged.empty() && refused.status == 401, "writes {} into its token: {}",
                  large.slug, refused.status);
}

void run_over_the_rate(Tour& tour) {
  constexpr int kFarTooMany = 500;
  constexpr int kEnough = 50;
  const DemoTenant& small = tour.plan.small.tenant;
  const DemoTenant& large = tour.plan.large.tenant;
  tour.report.heading(
      fmt::format("{} runs over its rate; {} does not notice", small.slug, large.slug));
  const Refusal refusal = ask_until_refused(tour.small, kFarTooMany);
  const auto wait = parse_unsigned(refusal.retry_after);
  tour.report.saw(refusal.status == 429 && wait && *wait > 0,
                  "{} gets {} after {} more requests, with Retry-After: {}", small.slug,
                  refusal.status, refusal.admitted, refusal.retry_after);
  const Refusal none = ask_until_refused(tour.large, kEnough);
  tour.report.saw(none.admitted == kEnough, "{} has {} of {} requests answered meanwhile",
                  large.slug, none.admitted, kEnough);
}

}  // namespace partywall::embedded
