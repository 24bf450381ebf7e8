#include "embedded/tour/steps.h"
#include "engines/redis.h"

namespace partywall::embedded {
namespace {

constexpr const char* kKey = "tour:greeting";  // the same for both: keys name no tenant

Result<redis::Connection> log_in(const TourPlan& plan, const std::string& user,
                                 const Secret& secret) {
  return redis::Connection::open({.endpoint = plan.cache, .user = user, .password = secret});
}

std::string ask(redis::Connection& connection, const std::vector<std::string>& words) {
  const auto reply = connection.command(words);
  return reply ? redis::to_string(*reply) : "no answer: " + reply.error().message;
}

bool is_refused(redis::Connection& connection, const std::vector<std::string>& words,
                std::string& answer) {
  const auto reply = connection.command(words);
  answer = reply ? redis::to_string(*reply) : reply.error().message;
  return reply && reply->is_error();
}

}  // namespace

void try_the_cache_door(Tour& tour) {
  const DemoTenant& small = tour.plan.small.tenant;
  const DemoTenant& large = tour.plan.large.tenant;
  tour.report.heading(
      fmt::format("{} tries to reach {} through the cache door", small.slug, large.slug));
  auto owner = log_in(tour.plan, large.slug, large.cache_secret);
  auto intruder = log_in(tour.plan, small.slug, small.cache_secret);
  for (const auto* connection : {&owner, &intruder}) {
    if (*connection) continue;
    tour.report.saw(false, "{}", connection->error().message);
    return;
  }
  (void)intruder->command({"DEL", kKey});
  const std::string stored = ask(*owner, {"SET", kKey, large.slug + "'s own"});
  const std::string theirs = ask(*intruder, {"GET", kKey});
  tour.report.saw(stored == "OK" && theirs == "(nil)", "{} stores {}; {} asks for {}: {}",
                  large.slug, kKey, small.slug, kKey, theirs);
  (void)intruder->command({"SET", kKey, "overwritten"});
  const std::string kept = ask(*owner, {"GET", kKey});
  tour.report.saw(kept == large.slug + "'s own", "{} overwrites it; {} still reads: {}", small.slug,
                  large.slug, kept);
  std::string answer;
  const bool no_select =
      is_refused(*intruder, {"SELECT", std::to_string(large.cache_database)}, answer);
  tour.report.saw(no_select, "SELECT {}, where {}'s keys are: {}", large.cache_database, large.slug,
                  answer);
  const bool no_login =
      is_refused(*intruder, {"AUTH", large.slug, std::string(small.cache_secret.reveal())}, answer);
  tour.report.saw(no_login, "AUTH {} with its own secret: {}", large.slug, answer);
}

}  // namespace partywall::embedded
