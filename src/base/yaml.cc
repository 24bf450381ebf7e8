#include "base/yaml.h"

#include <algorithm>
#include <array>
#include <istream>
#include <streambuf>

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/utf8.h"
#include "base/yaml_tree_builder.h"

namespace partywall {
namespace {

// yaml-cpp takes a file that is not UTF-8 for another encoding, byte 4 for the end of the file, and
// a bare carriage return for a line break: none of them may get there.
bool check_characters(std::string_view text, Diagnostics& diagnostics) {
  SourcePosition here{1, 1};
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_sequence_length(text.substr(i));
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length == 0 || text.substr(i).starts_with("\xEF\xBB\xBF")) {
      diagnostics.error(here,
                        "the file is not plain UTF-8 here (byte 0x{:02x}); save it as UTF-8 "
                        "without a byte order mark",
                        byte);
      return false;
    }
    const bool line_end =
        byte == '\n' || (byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    if ((byte < 0x20 && byte != '\t' && !line_end) || byte == 0x7F) {
      diagnostics.error(here, "control character 0x{:02x}; remove it", byte);
      return false;
    }
    here.column += static_cast<uint32_t>(length);
    if (byte == '\n') here = {here.line + 1, 1};
    i += length;
  }
  return true;
}

// An istream over bytes that somebody else owns.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

struct SyntaxHint {
  std::string_view theirs;
  std::string_view ours;
};

const std::array kSyntaxHints = {
    SyntaxHint{YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab in the indentation; indent with spaces"},
    SyntaxHint{YAML::ErrorMsg::MAP_VALUE,
               "this ':' is not where a key may be; check the indentation, or quote the text if "
               "the ':' belongs to it"},
    SyntaxHint{YAML::ErrorMsg::MAP_KEY,
               "this key is not where a key may be; check the indentation"},
    SyntaxHint{YAML::ErrorMsg::BLOCK_ENTRY,
               "this '-' is not where a list item may be; check the indentation"},
    SyntaxHint{YAML::ErrorMsg::END_OF_MAP,
               "this line does not fit what is around it; check the indentation, and that each key "
               "ends with ':'"},
    SyntaxHint{YAML::ErrorMsg::END_OF_MAP_FLOW,
               "a '{' before this is not closed by '}', or a ',' is missing"},
    SyntaxHint{YAML::ErrorMsg::END_OF_SEQ,
               "this line does not fit the list around it; check the indentation"},
    SyntaxHint{YAML::ErrorMsg::END_OF_SEQ_FLOW,
               "a '[' before this is not closed by ']', or a ',' is missing"},
    SyntaxHint{YAML::ErrorMsg::EOF_IN_SCALAR, "the file ends within a quote that is never closed"},
    SyntaxHint{YAML::ErrorMsg::DOC_IN_SCALAR,
               "a document starts or ends within a quote that is never closed"},
    SyntaxHint{YAML::ErrorMsg::UNKNOWN_TOKEN,
               "this character cannot start a value; put the text into quotes"},
};

std::string syntax_message(const YAML::Exception& failure) {
  const auto hint = std::ranges::find(kSyntaxHints, failure.msg, &SyntaxHint::theirs);
  if (hint != kSyntaxHints.end()) return std::string(hint->ours);
  return fmt::format("not YAML: {}", failure.msg);
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &YamlEntry::key);
  return found == entries.end() ? nullptr : &*found;
}

std::optional<YamlNode> parse_yaml(std::string_view text, Diagnostics& diagnostics,
                                   const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    diagnostics.error({}, "the file has {} bytes; at most {} are read", text.size(),
                      limits.max_bytes);
    return std::nullopt;
  }
  if (!check_characters(text, diagnostics)) return std::nullopt;
  YamlTreeBuilder builder(text, limits, diagnostics);
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YamlTreeBuilder::Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& failure) {
    diagnostics.error(yaml_position(failure.mark), "{}", syntax_message(failure));
    return std::nullopt;
  }
  return std::move(builder).take();
}

}  // namespace partywall
