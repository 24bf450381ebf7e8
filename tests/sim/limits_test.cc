// Limits over many nodes, on a virtual clock: what docs/limits.md promises. PARTYWALL_SIM_SEEDS
// says how many seeds each test tries.
#include <cstdlib>

#include <gtest/gtest.h>

#include "sim/limit_world.h"
#include "support/sanitizers.h"

namespace partywall::test {
namespace {

uint32_t seed_count() {
  const char* text = std::getenv("PARTYWALL_SIM_SEEDS");
  return text == nullptr ? static_cast<uint32_t>(rounds(24))
                         : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

constexpr RateLimit kFree{100, minutes(1), 10};
constexpr RateLimit kPro{1'000, minutes(1), 50};
constexpr RateLimit kEnterprise{10'000, minutes(1), 200};
constexpr RateLimit kCache{1'000, seconds(1), 1'000};

// Differs in everything from one seed to the next.
LimitWorldSettings any_settings(uint32_t seed) {
  std::mt19937 random(seed * 7919);
  const auto pick = [&](auto... values) {
    const std::common_type_t<decltype(values)...> all[] = {values...};
    return all[random() % sizeof...(values)];
  };
  return {.seed = seed,
          .nodes = pick(1U, 2U, 3U, 4U, 7U, 16U),
          .rate = pick(kFree, kPro, kEnterprise, kCache),
          .slots = pick(1U, 5U, 20U, 200U),
          .load = pick(0.3, 1.0, 1.5, 4.0),
          .skew = pick(0.0, 0.5, 0.95)};
}

Duration run_time(const RateLimit& limit) {
  return limit.period == seconds(1) ? seconds(40) : limit.tokens > 1'000 ? seconds(90) : minutes(8);
}

std::string describe(const LimitWorldSettings& world) {
  return fmt::format("seed {}: {} nodes, {} per {} ms, burst {}, load {}, skew {}, {} slots",
                     world.seed, world.nodes, world.rate.tokens,
                     world.rate.period / milliseconds(1), world.rate.burst, world.load, world.skew,
                     world.slots);
}

// Rounding of the virtual times, not of tokens.
constexpr double kNothing = 1e-3;

TEST(SharedLimits, NodesTogetherStayWithinTheLimitAndGetNearlyAllOfIt) {
  for (uint32_t seed = 1; seed <= seed_count(); ++seed) {
    const LimitWorldSettings settings = any_settings(seed);
    SCOPED_TRACE(describe(settings));
    LimitWorld world(settings);
    world.run_for(run_time(settings.rate));
    EXPECT_LE(most_above(world.admitted(), settings.rate), kNothing);
    EXPECT_LE(world.take_peak_in_use(), settings.slots);
    if (settings.load < 1) continue;
    const auto ideal = static_cast<double>(ideally_admitted(world.arrived(), settings.rate));
    EXPECT_GE(static_cast<double>(world.admitted().size()), 0.99 * ideal) << ideal;
  }
}

// Nodes that end in the middle of everything, and begin a new life.
TEST(SharedLimits, CrashesAdmitNoMore) {
  for (uint32_t seed = 1; seed <= seed_count(); ++seed) {
    LimitWorldSettings settings = any_settings(1'000 + seed);
    settings.nodes = std::max(settings.nodes, 2U);
    SCOPED_TRACE(describe(settings));
    LimitWorld world(settings);
    std::mt19937 random(seed);
    for (int i = 0; i < 12; ++i) {
      const uint32_t node = random() % settings.nodes;
      world.crash(node);
      world.run_for(milliseconds(random() % 3'000));
      world.start(node);
      world.run_for(milliseconds(random() % 3'000));
    }
    EXPECT_LE(most_above(world.admitted(), settings.rate), kNothing);
    EXPECT_LE(world.take_peak_in_use(), settings.slots);
  }
}

// Connections that break, with what was on them delivered afterwards, or not; messages that need up
// to a second. A node that does not hear from the store in time has its share beside the limit.
TEST(SharedLimits, LateAndLostMessagesAdmitNoMoreThanTheShares) {
  for (uint32_t seed = 1; seed <= seed_count(); ++seed) {
    LimitWorldSettings settings = any_settings(5'000 + seed);
    settings.late_share = 0.02;
    settings.mean_between_breaks = seconds(3);
    SCOPED_TRACE(describe(settings));
    LimitWorld world(settings);
    world.run_for(seconds(30));
    RateLimit both = settings.rate;
    both.tokens *= 2;
    both.burst = 2 * both.burst + settings.nodes;
    EXPECT_LE(most_above(world.admitted(), both), kNothing);
  }
}

// The store is away for all, and forgets or remembers. Each node admits by its share meanwhile; the
// sum stays within the limit but for the one token that each node has at least.
TEST(SharedLimits, AnOutageForAllAdmitsOneMoreOfEachNode) {
  for (uint32_t seed = 1; seed <= seed_count(); ++seed) {
    const LimitWorldSettings settings = any_settings(2'000 + seed);
    SCOPED_TRACE(describe(settings));
    LimitWorld world(settings);
    std::mt19937 random(seed);
    world.run_for(seconds(5));
    world.stop_store();
    world.run_for(milliseconds(100 + random() % 8'000));
    for (uint32_t i = 0; i < settings.nodes; ++i) {
      EXPECT_EQ(world.shared(i).source(), SharedLimits::Source::kShare);
      EXPECT_EQ(world.shared(i).live_nodes(), settings.nodes);
    }
    const size_t before = world.admitted().size();
    world.run_for(seconds(5) + 2 * settings.nodes * settings.rate.period / settings.rate.tokens);
    if (settings.load >= 1) {
      EXPECT_GT(world.admitted().size(), before) << "it blocks";
    }
    world.start_store(random() % 2 == 0 ? LimitWorld::Memory::kKept : LimitWorld::Memory::kLost);
    world.run_for(seconds(10));
    for (uint32_t i = 0; i < settings.nodes; ++i) {
      EXPECT_EQ(world.shared(i).source(), SharedLimits::Source::kStore);
    }
    EXPECT_LE(most_above(world.admitted(), settings.rate), settings.nodes + kNothing);
    // What was under way when it began goes on beside the shares.
    EXPECT_LE(world.take_peak_in_use(),
              settings.slots + settings.nodes * share_of(settings.slots, settings.nodes));
  }
}

// Some nodes cannot reach the store, the others can: the limit counts for the latter, and the
// former have their shares beside it.
TEST(SharedLimits, NodesThatAreCutOffHaveTheirSharesBesideTheLimit) {
  for (uint32_t seed = 1; seed <= seed_count(); ++seed) {
    LimitWorldSettings settings = any_settings(3'000 + seed);
    settings.nodes = std::max(settings.nodes, 2U);
    SCOPED_TRACE(describe(settings));
    LimitWorld world(settings);
    world.run_for(seconds(5));
    const uint32_t cut_off = 1 + seed % (settings.nodes - 1);
    for (uint32_t i = 0; i < cut_off; ++i) world.cut_off(i);
    world.run_for(seconds(10));
    for (uint32_t i = 0; i < cut_off; ++i) {
      EXPECT_EQ(world.shared(i).source(), SharedLimits::Source::kShare);
      world.reconnect(i);
    }
    world.run_for(seconds(5));
    for (uint32_t i = 0; i < settings.nodes; ++i) {
      EXPECT_EQ(world.shared(i).source(), SharedLimits::Source::kStore);
    }
    RateLimit both = settings.rate;
    both.tokens += both.tokens * cut_off / settings.nodes + 1;
    both.burst += both.burst * cut_off / settings.nodes + cut_off;
    EXPECT_LE(most_above(world.admitted(), both), kNothing);
    // What was under way there outlives its loans, which others get after three seconds.
    EXPECT_LE(world.take_peak_in_use(),
              2 * settings.slots + cut_off * share_of(settings.slots, settings.nodes));
  }
}

TEST(SharedLimits, ACrashedNodesSlotsAreFreeAfterThreeSeconds) {
  for (uint32_t seed = 1; seed <= seed_count(); ++seed) {
    LimitWorldSettings settings{.seed = seed, .nodes = 2, .rate = kEnterprise, .slots = 6};
    settings.mean_work = hours(1);  // whoever has a slot keeps it
    LimitWorld world(settings);
    world.run_for(seconds(10));
    EXPECT_EQ(world.take_peak_in_use(), 6U);
    world.crash(0);
    world.take_peak_in_use();
    world.run_for(milliseconds(3'500));
    EXPECT_EQ(world.take_peak_in_use(), 6U);
  }
}

// Nobody waits for longer than the store may take to answer, so that nobody is left behind.
TEST(SharedLimits, NobodyIsLeftWaiting) {
  for (uint32_t seed = 1; seed <= seed_count(); ++seed) {
    LimitWorldSettings settings = any_settings(4'000 + seed);
    settings.mean_between_breaks = seconds(2);
    settings.late_share = 0.01;
    SCOPED_TRACE(describe(settings));
    LimitWorld world(settings);
    world.run_for(seconds(20));
    world.stop_store();
    world.run_for(milliseconds(20));
    EXPECT_EQ(world.waiting(), 0U);
  }
}

}  // namespace
}  // namespace partywall::test
