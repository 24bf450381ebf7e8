#include "migrate/apply/table_watch.h"

#include <gmock/gmock.h>

namespace partywall::migrate {
namespace {

using testing::HasSubstr;

const TableName kFilm{"public", "film"};
const TableName kPayment{"public", "payment"};
const TableName kPart{"public", "payment_1"};
const TableName kNew{"public", "payment_2"};

class TableWatchTest : public testing::Test {
 protected:
  TableWatchTest() {
    for (const auto& [name, root] : now_) {
      source_.emplace(
          name,
          StreamTable{.schema = name.first, .name = name.second, .root = root, .columns = {}});
    }
  }

  std::string refusal(const TableNames& left_out = {}) {
    const auto checked = check_followed(
        {.source = source_, .published = planned_, .left_out = left_out}, now_, published_);
    if (checked) return "";
    EXPECT_EQ(checked.error().kind, ErrorKind::kConflict);
    return checked.error().message;
  }

  const TableNames planned_{kFilm, kPayment};
  TableRoots now_{{kFilm, kFilm}, {kPayment, kPayment}, {kPart, kPayment}};
  TableNames published_ = planned_;
  StreamTables source_;
};

TEST_F(TableWatchTest, NothingHasChanged) { EXPECT_EQ(refusal(), ""); }

TEST_F(TableWatchTest, ATableThatIsMadeAgainIsNotInThePublication) {
  published_.erase(kFilm);
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("public.film"), HasSubstr("made again")));
  EXPECT_EQ(refusal({kFilm}), "");
}

TEST_F(TableWatchTest, ATableThatIsGoneIsNotMissed) {
  published_.erase(kFilm);
  now_.erase(kFilm);
  EXPECT_EQ(refusal(), "");
}

TEST_F(TableWatchTest, ATableThatIsNewIsNotInTheStream) {
  now_.emplace(kNew, kNew);
  EXPECT_THAT(refusal(), HasSubstr("public.payment_2 was made in the source since"));
  EXPECT_EQ(refusal({kNew}), "");
}

TEST_F(TableWatchTest, APartitionThatIsNewIsInTheStream) {
  now_.emplace(kNew, kPayment);
  EXPECT_THAT(refusal(), HasSubstr("partition public.payment_2 of public.payment is new"));
  EXPECT_EQ(refusal({kPayment}), "");
}

TEST_F(TableWatchTest, APartitionThatIsDetachedIsInTheStreamNoLonger) {
  now_.insert_or_assign(kPart, kPart);
  EXPECT_THAT(refusal(), HasSubstr("public.payment_1 is in the stream no longer"));
}

// UNLOGGED, or of all tenants: nobody follows it.
TEST_F(TableWatchTest, ATableThatWasNotFollowedNeedNotBe) {
  const TableName kUnfollowed{"public", "cache"};
  source_.emplace(kUnfollowed,
                  StreamTable{.schema = "public", .name = "cache", .root = kUnfollowed});
  now_.emplace(kUnfollowed, kUnfollowed);
  EXPECT_EQ(refusal(), "");
}

}  // namespace
}  // namespace partywall::migrate
