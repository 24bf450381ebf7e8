#include "migrate/convert/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/schema_builder.h"

namespace partywall::migrate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> errors(std::string_view yaml) {
  Diagnostics diagnostics;
  const ConversionRules rules = read_conversion_rules(yaml, diagnostics);
  if (!diagnostics.has_errors()) check_rules(rules, shop(), diagnostics);
  std::vector<std::string> all;
  for (const Diagnostic& one : diagnostics.items()) all.push_back(to_string(one, "r"));
  return all;
}

TEST(ConversionRules, AreRead) {
  Diagnostics diagnostics;
  const ConversionRules rules = read_conversion_rules(
      "version: 1\ntenant_column: owner\ntables:\n  public.orders: {class: excluded}\n"
      "shared_sequences: [public.customer_id_seq]\n",
      diagnostics);
  EXPECT_THAT(diagnostics.items(), IsEmpty());
  EXPECT_EQ(rules.tenant_column, "owner");
  EXPECT_EQ(rules.tables.at("public.orders").choice, TableClass::kExcluded);
  EXPECT_TRUE(rules.shared_sequences.contains("public.customer_id_seq"));
}

TEST(ConversionRules, NameTheirMistakesWithLines) {
  EXPECT_THAT(errors("version: 1\ntabels: {}\n"), ElementsAre(HasSubstr("did you mean 'tables'")));
  EXPECT_THAT(errors("version: 2\n"), ElementsAre(HasSubstr("r:1:")));
  EXPECT_THAT(errors("version: 1\ntables:\n  public.order: {class: global}\n"),
              ElementsAre(testing::AllOf(HasSubstr("r:3:"), HasSubstr("'public.orders'"))));
  EXPECT_THAT(errors("version: 1\ntables:\n  public.orders: {class: globl}\n"), SizeIs(1));
  EXPECT_THAT(errors("version: 1\nshared_sequences: [a.b]\n"), ElementsAre(HasSubstr("r:2:")));
  EXPECT_THAT(errors("version: 1\nleave_out: [x, x]\n"), SizeIs(1));
  EXPECT_THAT(errors("version: 1\nmaterialized_views: {a.b: {becomes: excluded}}\n"), SizeIs(1));
  EXPECT_THAT(errors("version: 1\nsecurity_definer: ['f()']\n"), SizeIs(1));
}

TEST(ConversionRules, TakeOnlyAPlainNameForTheColumn) {
  for (const char* name : {"\"Tenant\"", "1st", "a;b", "''", "\"\""}) {
    EXPECT_THAT(errors(fmt::format("version: 1\ntenant_column: {}\n", name)), SizeIs(1)) << name;
  }
}

}  // namespace
}  // namespace partywall::migrate
