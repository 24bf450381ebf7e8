#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "base/yaml.h"

// Inside of base/yaml.cc: nothing else sees yaml-cpp.
namespace partywall {

SourcePosition yaml_position(const YAML::Mark& mark);

// Builds the tree from yaml-cpp's events: its own tree keeps duplicate keys silently and forgets
// where the keys are.
class YamlTreeBuilder final : public YAML::EventHandler {
 public:
  // Thrown through yaml-cpp to stop at a limit, which was reported.
  struct Stop {};

  YamlTreeBuilder(std::string_view text, const YamlLimits& limits, Diagnostics& diagnostics)
      : text_(text), limits_(limits), diagnostics_(diagnostics) {}

  [[nodiscard]] YamlNode take() && { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override;
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override;
  void OnMapEnd() override { close(); }

 private:
  // A list or map that is being filled; its node moves into its parent when it is complete.
  struct Level {
    YamlNode node;
    bool has_key = false;  // kMap: `entry` has its key and waits for its value
    bool drop_entry = false;
    YamlEntry entry;
    std::unordered_map<std::string, SourcePosition> keys;
  };

  [[nodiscard]] char source_at(const YAML::Mark& mark) const;
  bool check_closing_quote(const YAML::Mark& mark);
  void report_tag(const YAML::Mark& mark);
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag);
  void close();
  void add_leaf(YamlNode::Kind kind, const YAML::Mark& mark, std::string text = {});
  void add(YamlNode node);
  void add_key(Level& level, YamlNode node);
  static void add_value(Level& level, YamlNode node);
  void count_node(const YAML::Mark& mark);

  std::string_view text_;
  const YamlLimits& limits_;
  Diagnostics& diagnostics_;
  std::vector<Level> levels_;
  YamlNode root_;
  size_t nodes_ = 0;
  bool seen_document_ = false;
};

}  // namespace partywall
