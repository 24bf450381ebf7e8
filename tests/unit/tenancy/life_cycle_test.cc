#include "tenancy/life_cycle.h"

#include <random>

#include <gtest/gtest.h>

namespace partywall {
namespace {

using enum TenantStatus;
using Command = TenantCommand;

constexpr ErasureGuard kGraceOver{.is_grace_over = true};

// One line a command, one column a status. A letter is the status that follows, '=' the same one,
// '-' a refusal.
struct TableRow {
  Command command;
  std::string_view outcomes;  // R P A O(read_only) S F(offboarding) E X(erased)
};
constexpr std::string_view kLetters = "RPAOSFEX";
constexpr std::array kTable = {
    TableRow{Command::kProvision, "P====---"},     TableRow{Command::kActivate, "-A===---"},
    TableRow{Command::kRestrict, "--O=O---"},      TableRow{Command::kSuspend, "--SS=---"},
    TableRow{Command::kResume, "--=AA---"},        TableRow{Command::kOffboard, "FFFFF==="},
    TableRow{Command::kRestore, "--===S--"},       TableRow{Command::kErase, "-----E=="},
    TableRow{Command::kFinishErasure, "------X="},
};

TEST(LifeCycle, TheWholeTable) {
  for (const TableRow& row : kTable) {
    for (size_t i = 0; i < kTenantStatuses.size(); ++i) {
      const LifeCycle before{.status = kTenantStatuses[i]};
      const LifeCycleStep result = step(before, row.command, kGraceOver);
      const char expected = row.outcomes[i];
      SCOPED_TRACE(fmt::format("{} of {}", to_string(row.command), to_string(before.status)));
      if (expected == '-') {
        EXPECT_EQ(result.outcome, StepOutcome::kRefused);
        EXPECT_FALSE(result.reason.empty());
        EXPECT_EQ(result.next, before);
      } else if (expected == '=') {
        EXPECT_EQ(result.outcome, StepOutcome::kUnchanged);
        EXPECT_EQ(result.next, before);
      } else {
        EXPECT_EQ(result.outcome, StepOutcome::kMoved);
        EXPECT_EQ(result.next.status, kTenantStatuses[kLetters.find(expected)]);
      }
    }
  }
}

TEST(LifeCycle, AHoldBlocksErasureAndNothingElse) {
  for (const TenantStatus status : kTenantStatuses) {
    for (const Command command : kTenantCommands) {
      const LifeCycle held{.status = status, .legal_hold = true};
      const LifeCycleStep with = step(held, command, kGraceOver);
      const LifeCycleStep without = step({.status = status}, command, kGraceOver);
      if (command == Command::kHold || command == Command::kRelease) continue;
      if (command == Command::kErase && status == kOffboarding) {
        EXPECT_EQ(with.outcome, StepOutcome::kRefused);
        continue;
      }
      EXPECT_EQ(with.outcome, without.outcome);
      EXPECT_EQ(with.next.status, without.next.status);
    }
  }
}

TEST(LifeCycle, AHoldThatComesTooLateIsRefused) {
  for (const TenantStatus status : kTenantStatuses) {
    const bool too_late = status == kErasing || status == kErased;
    EXPECT_EQ(step({.status = status}, Command::kHold).outcome,
              too_late ? StepOutcome::kRefused : StepOutcome::kMoved);
  }
}

TEST(LifeCycle, NothingIsErasedWithinTheGracePeriod) {
  const LifeCycle leaving{.status = kOffboarding};
  EXPECT_EQ(step(leaving, Command::kErase, {.is_grace_over = false}).outcome,
            StepOutcome::kRefused);
  EXPECT_EQ(step(leaving, Command::kErase, kGraceOver).next.status, kErasing);
}

// A model that says the same in another way: a tenant in service is two switches.
struct Model {
  enum class Phase { kNew, kMaking, kServing, kLeaving, kErasing, kGone } phase = Phase::kNew;
  bool reads_only = false;
  bool stopped = false;
  bool held = false;

  [[nodiscard]] TenantStatus status() const {
    switch (phase) {
      case Phase::kNew:
        return kRequested;
      case Phase::kMaking:
        return kProvisioning;
      case Phase::kServing:
        return stopped ? kSuspended : reads_only ? kReadOnly : kActive;
      case Phase::kLeaving:
        return kOffboarding;
      case Phase::kErasing:
        return kErasing;
      case Phase::kGone:
        return kErased;
    }
    return kErased;
  }

  void take(Command command, bool grace_over) {
    const bool serving = phase == Phase::kServing;
    if (command == Command::kProvision && phase == Phase::kNew) phase = Phase::kMaking;
    if (command == Command::kActivate && phase == Phase::kMaking) {
      phase = Phase::kServing;
      reads_only = stopped = false;
    }
    if (command == Command::kRestrict && serving) reads_only = true, stopped = false;
    if (command == Command::kSuspend && serving) stopped = true;
    if (command == Command::kResume && serving) reads_only = stopped = false;
    if (command == Command::kOffboard && phase < Phase::kLeaving) phase = Phase::kLeaving;
    if (command == Command::kRestore && phase == Phase::kLeaving) {
      phase = Phase::kServing;
      stopped = true;
    }
    if (command == Command::kErase && phase == Phase::kLeaving && !held && grace_over)
      phase = Phase::kErasing;
    if (command == Command::kFinishErasure && phase == Phase::kErasing) phase = Phase::kGone;
    if (command == Command::kHold && phase < Phase::kErasing) held = true;
    if (command == Command::kRelease) held = false;
  }
};

TEST(LifeCycle, RandomCommandsGoAsInTheModel) {
  std::mt19937_64 random(20261125);
  for (int run = 0; run < 2'000; ++run) {
    Model model;
    LifeCycle real;
    for (int i = 0; i < 40; ++i) {
      const Command command = kTenantCommands[random() % kTenantCommands.size()];
      const bool grace_over = random() % 2 == 0;
      const LifeCycle before = real;
      const LifeCycleStep result = step(real, command, {.is_grace_over = grace_over});
      real = result.next;
      model.take(command, grace_over);
      ASSERT_EQ(real.status, model.status());
      ASSERT_EQ(real.legal_hold, model.held);
      ASSERT_EQ(result.outcome == StepOutcome::kMoved, real != before);
      // The same command again, after a lost answer, changes nothing.
      const LifeCycleStep again = step(real, command, {.is_grace_over = grace_over});
      ASSERT_NE(again.outcome, StepOutcome::kMoved);
      if (before.legal_hold && before.status != kErasing)
        ASSERT_NE(real.status, kErasing) << "erased under hold";
    }
  }
}

TEST(TenantCommand, TextGoesBothWays) {
  for (const Command command : kTenantCommands)
    EXPECT_EQ(parse_tenant_command(to_string(command)).value(), command);
  EXPECT_FALSE(parse_tenant_command("Suspend").has_value());
  EXPECT_FALSE(is_for_operators(Command::kFinishErasure));
  EXPECT_FALSE(is_for_operators(Command::kActivate));
  EXPECT_TRUE(is_for_operators(Command::kSuspend));
}

}  // namespace
}  // namespace partywall
