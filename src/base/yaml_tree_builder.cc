#include "base/yaml_tree_builder.h"

#include <utility>

namespace partywall {

SourcePosition yaml_position(const YAML::Mark& mark) {
  if (mark.line < 0 || mark.column < 0) return {};
  return {static_cast<uint32_t>(mark.line) + 1, static_cast<uint32_t>(mark.column) + 1};
}

void YamlTreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (std::exchange(seen_document_, true)) {
    diagnostics_.error(yaml_position(mark),
                       "a second document starts here; put everything into one");
    throw Stop();
  }
}

void YamlTreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t) {
  add_leaf(YamlNode::Kind::kEmpty, mark);
}

void YamlTreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  diagnostics_.error(yaml_position(mark), "aliases (*name) are not supported; write the value out");
  add_leaf(YamlNode::Kind::kInvalid, mark);
}

void YamlTreeBuilder::OnAnchor(const YAML::Mark& mark, const std::string& name) {
  diagnostics_.error(yaml_position(mark), "anchors (&{}) are not supported; remove it", name);
}

void YamlTreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                               const std::string& value) {
  const bool quoted = tag == "!";
  // An explicit "!" gives the same tag as quotes; only the source tells them apart.
  if ((!quoted && tag != "?") || source_at(mark) == '!') {
    report_tag(mark);
    return add_leaf(YamlNode::Kind::kInvalid, mark);
  }
  if (quoted && !check_closing_quote(mark)) return add_leaf(YamlNode::Kind::kInvalid, mark);
  add_leaf(quoted ? YamlNode::Kind::kQuoted : YamlNode::Kind::kPlain, mark, value);
}

void YamlTreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                      YAML::anchor_t, YAML::EmitterStyle::value) {
  open(YamlNode::Kind::kList, mark, tag);
}

void YamlTreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                                 YAML::EmitterStyle::value) {
  open(YamlNode::Kind::kMap, mark, tag);
}

char YamlTreeBuilder::source_at(const YAML::Mark& mark) const {
  const auto position = static_cast<size_t>(mark.pos);
  return position < text_.size() ? text_[position] : '\0';
}

// yaml-cpp ends an unclosed quote silently at the end of the file.
bool YamlTreeBuilder::check_closing_quote(const YAML::Mark& mark) {
  const char quote = source_at(mark);
  if (quote != '"' && quote != '\'') return true;  // a block scalar
  for (auto i = static_cast<size_t>(mark.pos) + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      const bool escaped = quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
      if (!escaped) return true;
      ++i;
    }
  }
  diagnostics_.error(yaml_position(mark), "the quote that opens here is never closed");
  return false;
}

void YamlTreeBuilder::report_tag(const YAML::Mark& mark) {
  diagnostics_.error(yaml_position(mark), "tags (!name) are not supported; remove it");
}

void YamlTreeBuilder::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
  if (levels_.size() >= limits_.max_depth) {
    diagnostics_.error(yaml_position(mark), "nested too deeply; at most {} levels are read",
                       limits_.max_depth);
    throw Stop();
  }
  count_node(mark);
  if (tag != "?") report_tag(mark);
  Level level;
  level.node.kind = kind;
  level.node.where = yaml_position(mark);
  levels_.push_back(std::move(level));
}

void YamlTreeBuilder::close() {
  YamlNode node = std::move(levels_.back().node);
  levels_.pop_back();
  add(std::move(node));
}

void YamlTreeBuilder::add_leaf(YamlNode::Kind kind, const YAML::Mark& mark, std::string text) {
  count_node(mark);
  YamlNode node;
  node.kind = kind;
  node.where = yaml_position(mark);
  node.text = std::move(text);
  add(std::move(node));
}

void YamlTreeBuilder::add(YamlNode node) {
  if (levels_.empty()) {
    root_ = std::move(node);
    return;
  }
  Level& level = levels_.back();
  if (level.node.kind == YamlNode::Kind::kList) {
    level.node.items.push_back(std::move(node));
  } else if (!level.has_key) {
    add_key(level, std::move(node));
  } else {
    add_value(level, std::move(node));
  }
}

void YamlTreeBuilder::add_key(Level& level, YamlNode node) {
  level.has_key = true;
  level.drop_entry = true;
  level.entry = YamlEntry{std::move(node.text), node.where, {}};
  if (node.kind == YamlNode::Kind::kInvalid) return;
  if (node.kind != YamlNode::Kind::kPlain && node.kind != YamlNode::Kind::kQuoted) {
    diagnostics_.error(node.where, "a key must be a word");
    return;
  }
  const auto [first, is_new] = level.keys.emplace(level.entry.key, node.where);
  level.drop_entry = !is_new;
  if (is_new) return;
  diagnostics_.error(node.where, "key '{}' is there twice; the first is on line {}",
                     level.entry.key, first->second.line);
}

void YamlTreeBuilder::add_value(Level& level, YamlNode node) {
  level.has_key = false;
  if (level.drop_entry) return;
  // yaml-cpp places a missing value at the next token, which may be lines below.
  if (node.kind == YamlNode::Kind::kEmpty) node.where = level.entry.where;
  level.entry.value = std::move(node);
  level.node.entries.push_back(std::move(level.entry));
}

void YamlTreeBuilder::count_node(const YAML::Mark& mark) {
  if (++nodes_ <= limits_.max_nodes) return;
  diagnostics_.error(yaml_position(mark), "too many values; at most {} are read",
                     limits_.max_nodes);
  throw Stop();
}

}  // namespace partywall
