#include "store/control/lease.h"

#include "control/store_fixture.h"

namespace partywall::store {
namespace {

class LeaseTest : public StoreTest {
 protected:
  Lease acquire(std::string_view holder, int64_t fence = 0) {
    auto session = store_.session();
    return acquire_lease(*session, kControlLease, holder, fence, minutes(1)).value();
  }
  void expire() {
    plain_connection().execute("UPDATE partywall.leases SET expires_at = '-infinity'").value();
  }
};

TEST_F(LeaseTest, OneHoldsItAndKeepsItsFence) {
  const Lease first = acquire("a");
  EXPECT_EQ(first.holder, "a");
  EXPECT_EQ(acquire("b").holder, "a");
  EXPECT_EQ(acquire("a", first.fence).fence, first.fence);
}

TEST_F(LeaseTest, EachNewHolderHasAHigherFence) {
  const Lease first = acquire("a");
  expire();
  const Lease second = acquire("b");
  EXPECT_EQ(second.holder, "b");
  EXPECT_GT(second.fence, first.fence);
  expire();
  EXPECT_GT(acquire("a", first.fence).fence, second.fence) << "even if it was the holder before";
}

TEST_F(LeaseTest, WhoComesBackWithoutItsFenceIsANewHolder) {
  const Lease first = acquire("a");
  EXPECT_GT(acquire("a").fence, first.fence);
}

TEST_F(LeaseTest, ReleasingLetsTheNextOneIn) {
  const Lease first = acquire("a");
  auto session = store_.session();
  ASSERT_TRUE(release_lease(*session, kControlLease, first.fence));
  const Lease second = acquire("b");
  EXPECT_EQ(second.holder, "b");
  ASSERT_TRUE(release_lease(*session, kControlLease, first.fence)) << "late, and without effect";
  EXPECT_EQ(acquire("c").holder, "b");
}

}  // namespace
}  // namespace partywall::store
