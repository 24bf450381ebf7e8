#include "base/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// All findings, one a line each: "2:4: message".
std::vector<std::string> problems(std::string_view text, const YamlLimits& limits = {}) {
  Diagnostics diagnostics;
  parse_yaml(text, diagnostics, limits);
  std::vector<std::string> lines;
  for (const Diagnostic& found : diagnostics.items()) {
    lines.push_back(fmt::format("{}:{}: {}", found.where.line, found.where.column, found.message));
  }
  return lines;
}

YamlNode parse(std::string_view text) {
  Diagnostics diagnostics;
  auto tree = parse_yaml(text, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << to_string(diagnostics.items().front(), "text");
  return tree.value_or(YamlNode{});
}

TEST(Yaml, KeepsTheTextAndThePlaceOfEachValue) {
  const YamlNode root =
      parse("mode: 0644\nlist:\n  - no\n  - 'no'\nmap: {a: é, b: \"x\"}\nnone:\n");
  EXPECT_EQ(root.find("mode")->value.text, "0644");
  EXPECT_EQ(root.find("mode")->value.kind, YamlNode::Kind::kPlain);
  EXPECT_EQ(root.find("mode")->value.where, (SourcePosition{1, 7}));
  const YamlNode& list = root.find("list")->value;
  EXPECT_EQ(list.items.at(0).kind, YamlNode::Kind::kPlain);
  EXPECT_EQ(list.items.at(1).kind, YamlNode::Kind::kQuoted);
  EXPECT_EQ(list.items.at(1).where, (SourcePosition{4, 5}));
  EXPECT_EQ(root.find("map")->value.find("b")->where, (SourcePosition{5, 14}));  // bytes: é is two
  EXPECT_EQ(root.find("none")->value.kind, YamlNode::Kind::kEmpty);
  EXPECT_EQ(root.find("none")->value.where, (SourcePosition{6, 1}));
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Yaml, ReadsWindowsLineEnds) {
  const YamlNode root = parse("a: 'x'\r\nb: \"y\"\r\n");
  EXPECT_EQ(root.find("a")->value.text, "x");
  EXPECT_EQ(root.find("b")->where, (SourcePosition{2, 1}));
}

TEST(Yaml, AcceptsCommentsBlockTextAndADocumentStart) {
  EXPECT_EQ(parse("# top\n---\na: |\n  one\n  two\n").find("a")->value.text, "one\ntwo\n");
}

TEST(Yaml, ReportsAKeyThatIsThereTwiceAndKeepsTheFirst) {
  Diagnostics diagnostics;
  const auto root = parse_yaml("tier: free\nslug: x\ntier: pro\n", diagnostics);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("tier")->value.text, "free");
  EXPECT_THAT(problems("tier: free\nslug: x\ntier: pro\n"),
              ElementsAre("3:1: key 'tier' is there twice; the first is on line 1"));
  EXPECT_THAT(problems("{a: 1, 'a': 2}"),
              ElementsAre("1:8: key 'a' is there twice; the first is on line 1"));
}

TEST(Yaml, RefusesAnchorsAliasesTagsAndOddKeys) {
  EXPECT_THAT(problems("a: &x 1\nb: *x\n"),
              ElementsAre("1:4: anchors (&x) are not supported; remove it",
                          "2:4: aliases (*name) are not supported; write the value out"));
  EXPECT_THAT(problems("a: !!int 1\nb: ! 2\nc: !t {d: 1}\ne: !t [1]\n"),
              ElementsAre("1:4: tags (!name) are not supported; remove it",
                          "2:4: tags (!name) are not supported; remove it",
                          "3:4: tags (!name) are not supported; remove it",
                          "4:4: tags (!name) are not supported; remove it"));
  EXPECT_THAT(problems("? [a]\n: 1\n"), ElementsAre("1:3: a key must be a word"));
  EXPECT_THAT(problems("? {a: 1}\n: 1\n"), ElementsAre("1:3: a key must be a word"));
  EXPECT_THAT(problems("~: 1\n"), ElementsAre("1:1: a key must be a word"));
}

TEST(Yaml, RefusesASecondDocument) {
  EXPECT_THAT(problems("a: 1\n---\nb: 2\n"),
              ElementsAre("2:1: a second document starts here; put everything into one"));
}

TEST(Yaml, SaysWhatIsWrongWithTheSyntax) {
  EXPECT_THAT(problems("a:\n\tb: 2\n"), testing::SizeIs(1));
  EXPECT_THAT(problems("a: b: c\n"),
              ElementsAre(testing::StartsWith("1:5: this ':' is not where a key may be")));
  EXPECT_THAT(problems("a: [1, 2\nb: 3\n"),
              ElementsAre(testing::HasSubstr("a '[' before this is not closed")));
  EXPECT_THAT(problems("a: {b: 1\nc: 3\n"), testing::SizeIs(1));
  EXPECT_THAT(problems("a: 1\nb\nc: 2\n"), testing::SizeIs(1));
  EXPECT_THAT(problems("a: @x\n"),
              ElementsAre("1:4: this character cannot start a value; put the text into quotes"));
}

TEST(Yaml, NoticesAQuoteThatIsNeverClosed) {
  EXPECT_THAT(problems("a: 1\nb: \"x\nc: 2\n"),
              ElementsAre("2:4: the quote that opens here is never closed"));
  EXPECT_THAT(problems("b: 'it''s\n"),
              ElementsAre("1:4: the quote that opens here is never closed"));
  EXPECT_THAT(problems("a: \"x"),
              ElementsAre("1:6: the file ends within a quote that is never closed"));
  EXPECT_THAT(problems("b: 'it''s'\nc: \"a\\\"b\"\nd: ''\n"), IsEmpty());
}

TEST(Yaml, RefusesWhatIsNotPlainUtf8) {
  EXPECT_THAT(
      problems("a: 1\nb: x\xFFy\n"),
      ElementsAre(testing::StartsWith("2:5: the file is not plain UTF-8 here (byte 0xff)")));
  EXPECT_THAT(problems("\xEF\xBB\xBF"
                       "a: 1\n"),
              ElementsAre(testing::StartsWith("1:1: the file is not plain UTF-8")));
  EXPECT_THAT(problems(std::string_view("a\0: 1\0\n", 7)),
              ElementsAre("1:2: control character 0x00; remove it"));
  EXPECT_THAT(problems("a: 1\nb: \x04\nc: 2\n"),
              ElementsAre("2:4: control character 0x04; remove it"));
  EXPECT_THAT(problems("a: 1\rb: 2\n"), ElementsAre("1:5: control character 0x0d; remove it"));
}

TEST(Yaml, KeepsItsBounds) {
  EXPECT_THAT(problems("a: 1\n", {.max_bytes = 4}),
              ElementsAre("0:0: the file has 5 bytes; at most 4 are read"));
  EXPECT_THAT(problems("a: {b: {c: 1}}\n", {.max_depth = 2}),
              ElementsAre("1:8: nested too deeply; at most 2 levels are read"));
  EXPECT_THAT(problems("[1, 2, 3, 4]\n", {.max_nodes = 4}),
              ElementsAre("1:11: too many values; at most 4 are read"));
  EXPECT_THAT(problems(std::string(100'000, '[')), testing::SizeIs(1));
}

TEST(Yaml, AnEmptyFileIsAnEmptyNode) {
  EXPECT_EQ(parse("").kind, YamlNode::Kind::kEmpty);
  EXPECT_EQ(parse("# nothing\n").kind, YamlNode::Kind::kEmpty);
}

TEST(PlainTextAmbiguity, KnowsWhatOthersTakeForSomethingElse) {
  for (const char* word : {"no", "yes", "on", "off", "y", "True"})
    EXPECT_EQ(plain_text_ambiguity(word), "a boolean") << word;
  for (const char* word : {"~", "null"}) EXPECT_EQ(plain_text_ambiguity(word), "nothing") << word;
  for (const char* word : {"0644", "1", "-1", "+1", "1.5", ".5", "1e3", "0x1F", "0o17", "1_000",
                           ".inf", "-.inf", ".nan"}) {
    EXPECT_EQ(plain_text_ambiguity(word), "a number") << word;
  }
  for (const char* word :
       {"acme", "1.2.3", "127.0.0.1", "e3", "0xyz", "-", ".", "5s", "12-34", "n0", "1e", "_"}) {
    EXPECT_EQ(plain_text_ambiguity(word), "") << word;
  }
}

}  // namespace
}  // namespace partywall
