#include "base/yaml_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace partywall {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

enum class Colour { kRed, kGreen };
constexpr Choice<Colour> kColours[] = {{"red", Colour::kRed}, {"green", Colour::kGreen}};

struct Part {
  std::string name;
  uint32_t count = 3;
};

struct Config {
  std::string title;
  uint32_t workers = 2;
  double share = 0.5;
  bool verbose = false;
  Duration timeout = seconds(5);
  ByteSize size{1024};
  Colour colour = Colour::kGreen;
  uint16_t port = 80;
  std::vector<Part> parts;
  std::vector<std::pair<std::string, uint32_t>> named;
  std::vector<std::string> words;
};

void read_config(YamlMap& map, Config& config) {
  map.required("title", config.title, "what it is called");
  map.optional("workers", config.workers, {1, 8}, "threads");
  map.optional("share", config.share, {0.0, 1.0}, "of all");
  map.optional("verbose", config.verbose, "says more");
  map.optional("timeout", config.timeout, {milliseconds(10), hours(1)}, "until it gives up");
  map.optional("size", config.size, "of the buffer");
  map.optional_choice("colour", config.colour, kColours, "of the door");
  map.section("listen", "where",
              [&](YamlMap& listen) { listen.required("port", config.port, "the port"); });
  map.list("parts", "what it has", [&](YamlMap& item) {
    Part part;
    item.required("name", part.name, "its name");
    item.optional("count", part.count, "how many");
    config.parts.push_back(part);
  });
  map.named("sets", "by name", [&](const std::string& name, YamlMap& one) {
    uint32_t size = 0;
    one.required("size", size, "its size");
    config.named.emplace_back(name, size);
  });
  map.values("words", config.words, "some words");
}

struct Outcome {
  Config config;
  std::vector<std::string> problems;
};

Outcome read(std::string_view text) {
  Outcome outcome;
  Diagnostics diagnostics;
  const auto root = parse_yaml(text, diagnostics);
  if (root) read_yaml(*root, diagnostics, [&](YamlMap& map) { read_config(map, outcome.config); });
  for (const Diagnostic& found : diagnostics.items())
    outcome.problems.push_back(to_string(found, "f"));
  return outcome;
}

TEST(YamlMap, ReadsEveryKindOfValue) {
  const auto [config, problems] = read(
      "title: A title\nworkers: 4\nshare: 0.25\nverbose: true\ntimeout: 300ms\nsize: 2KiB\ncolour: "
      "red\n"
      "listen: {port: 8080}\nparts: [{name: a}, {name: b, count: 7}]\nsets: {x: {size: 1}, y: "
      "{size: 2}}\nwords: [q, \"no\"]\n");
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(config.title, "A title");
  EXPECT_EQ(config.workers, 4u);
  EXPECT_EQ(config.share, 0.25);
  EXPECT_TRUE(config.verbose);
  EXPECT_EQ(config.timeout, milliseconds(300));
  EXPECT_EQ(config.size.bytes, 2048u);
  EXPECT_EQ(config.colour, Colour::kRed);
  EXPECT_EQ(config.port, 8080);
  ASSERT_EQ(config.parts.size(), 2u);
  EXPECT_EQ(config.parts[0].count, 3u);
  EXPECT_EQ(config.parts[1].count, 7u);
  EXPECT_THAT(config.named, ElementsAre(std::pair("x", 1u), std::pair("y", 2u)));
  EXPECT_THAT(config.words, ElementsAre("q", "no"));
}

TEST(YamlMap, ReportsAllProblemsInOrderAndKeepsTheDefaults) {
  const auto [config, problems] = read(
      "titel: x\nworkers: 9\nshare: much\nverbose: yes\ntimeout: 5\nsize: 64MB\ncolour: "
      "rde\nlisten: 80\n"
      "parts:\n  - {name: no}\n  - count: \"3\"\n    nmae: z\n  - 7\nsets: {x: 1}\nwords: [[a], "
      "'']\n");
  EXPECT_THAT(
      problems,
      ElementsAre(
          "f:1:1: error: unknown key 'titel'; did you mean 'title'?",
          "f:2:10: error: 'workers' is 9, but it must be 1 to 8",
          "f:3:8: error: 'share': 'much' is not a number such as 0.05",
          "f:4:10: error: 'verbose': 'yes' is neither true nor false; write one of the two, "
          "without quotes",
          "f:5:10: error: 'timeout': '5' is not a duration: write a whole number and one of ms, s, "
          "m, h, d, such as 500ms",
          "f:6:7: error: 'size': '64MB' is ambiguous (1,000s or 1,024s); write 64MiB, which counts "
          "in 1,024s",
          "f:7:9: error: 'colour' is 'rde', but it must be one of red, green; did you mean 'red'?",
          "f:8:9: error: 'listen' must be a section with keys of its own, but it is a single value",
          "f:10:12: error: 'name': needs a text, but no is a boolean to YAML; write \"no\" in "
          "quotes if you mean the text",
          "f:11:12: error: 'count': needs a number, but \"3\" in quotes is a text; remove the "
          "quotes",
          "f:12:5: error: unknown key 'nmae'; did you mean 'name'?",
          "f:13:5: error: each item of 'parts' must be a section with keys of its own, but this is "
          "a single value",
          "f:14:11: error: 'x' must be a section with keys of its own, but it is a single value",
          "f:15:9: error: 'words': an item must be a single value, but this is a list",
          "f:15:14: error: 'words': must not be empty"));
  EXPECT_EQ(config.workers, 2u);
  EXPECT_EQ(config.timeout, seconds(5));
  EXPECT_EQ(config.colour, Colour::kGreen);
}

TEST(YamlMap, NamesWhatIsMissingAndWhere) {
  EXPECT_THAT(read("workers: 1\n").problems, ElementsAre("f:1:1: error: 'title' is missing"));
  EXPECT_THAT(
      read("title: t\nlisten: {}\nparts:\n  - {name: a}\n  - count: 2\nsets:\n  x: {}\n").problems,
      ElementsAre("f:2:9: error: 'port' is missing in listen",
                  "f:5:5: error: 'name' is missing in parts[1]",
                  "f:7:3: error: 'size' is missing in sets.x"));
  EXPECT_THAT(read("title:\n").problems,
              ElementsAre("f:1:1: error: 'title' has no value; give it one, or remove the key"));
}

TEST(YamlMap, TheFileMustHoldKeys) {
  EXPECT_THAT(read("").problems,
              ElementsAre("f: error: the file must hold keys and values, but it is empty"));
  EXPECT_THAT(read("- a\n").problems,
              ElementsAre("f:1:1: error: the file must hold keys and values, but it is a list"));
}

TEST(YamlMap, PassesOverWhatWasReportedBefore) {
  EXPECT_THAT(read("title: *x\nparts: [!t 1]\n").problems, testing::SizeIs(testing::Le(2u)));
  EXPECT_THAT(read("title: !t x\nwords: [!t y]\n").problems, testing::SizeIs(2));
}

TEST(YamlMap, RulesAcrossKeysPointAtTheValue) {
  Diagnostics diagnostics;
  const auto root = parse_yaml("a: 1\nb:  2\n", diagnostics);
  read_yaml(*root, diagnostics, [](YamlMap& map) {
    uint32_t a = 0, b = 0;
    map.optional("a", a, "");
    map.optional("b", b, "");
    if (a < b) map.error("b", "more than {}", a);
    map.warning("c", "no c");
  });
  ASSERT_EQ(diagnostics.items().size(), 2u);
  EXPECT_EQ(to_string(diagnostics.items()[0], "f"), "f:1:1: warning: no c");
  EXPECT_EQ(to_string(diagnostics.items()[1], "f"), "f:2:5: error: more than 1");
}

TEST(YamlMap, DescribesTheKeysThatItReads) {
  Config config;
  const auto keys = describe_yaml([&](YamlMap& map) { read_config(map, config); });
  std::vector<std::string> lines;
  for (const KeyDescription& key : keys) {
    lines.push_back(fmt::format("{}|{}|{}|{}|{}", key.path, key.kind,
                                key.required ? "required" : key.default_text, key.bounds,
                                key.help));
  }
  EXPECT_THAT(
      lines,
      ElementsAre("title|text|required||what it is called", "workers|whole number|2|1 to 8|threads",
                  "share|number|0.5|0 to 1|of all", "verbose|true or false|false||says more",
                  "timeout|duration|5s|10ms to 1h|until it gives up",
                  "size|size|1KiB||of the buffer", "colour|one of red, green|green||of the door",
                  "listen|section|||where", "listen.port|whole number|required||the port",
                  "parts|list|||what it has", "parts[].name|text|required||its name",
                  "parts[].count|whole number|3||how many", "sets|names, each a section|||by name",
                  "sets.<name>.size|whole number|required||its size",
                  "words|list, each text|||some words"));
}

TEST(Diagnostics, AreBoundedButCounted) {
  Diagnostics diagnostics(2);
  for (uint32_t line = 1; line <= 5; ++line) diagnostics.error({line, 1}, "x");
  diagnostics.warning({9, 9}, "y");
  EXPECT_EQ(diagnostics.items().size(), 2u);
  EXPECT_EQ(diagnostics.errors(), 5u);
  EXPECT_EQ(diagnostics.warnings(), 1u);
  EXPECT_EQ(diagnostics.left_out(), 4u);
}

}  // namespace
}  // namespace partywall
