#include "store/control/snapshot_file.h"

#include "base/private_file.h"
#include "base/text.h"

namespace partywall::store {
namespace {

constexpr std::string_view kMagic = "partywall snapshot 1\n";
constexpr std::string_view kPurpose = "directory snapshot 1";

void append_record(std::string& out, std::string_view kind, std::string_view key,
                   std::string_view document) {
  fmt::format_to(std::back_inserter(out), "{} {} {}\n", kind, key.size(), document.size());
  out.append(key).append(document).append("\n");
}

// Reads what append_record wrote; everything that it finds is within the text.
class RecordReader {
 public:
  explicit RecordReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  Result<std::string_view> line() {
    const size_t end = rest_.find('\n');
    if (end == rest_.npos) return broken();
    return take(end, 1);
  }

  Result<std::string_view> bytes(size_t size, size_t and_skip) {
    if (size > rest_.size() || rest_.size() - size < and_skip) return broken();
    return take(size, and_skip);
  }

  static std::unexpected<Error> broken() {
    return fail(ErrorKind::kInvalid, "the snapshot is not in the format of this release");
  }

 private:
  std::string_view take(size_t size, size_t and_skip) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size + and_skip);
    return taken;
  }

  std::string_view rest_;
};

Result<> read_state(RecordReader& reader, SnapshotState& state) {
  const auto line = reader.line();
  if (!line) return std::unexpected(line.error());
  const auto words = split(*line, ' ');
  if (words.size() != 3) return RecordReader::broken();
  const auto version = parse_unsigned(words[1]);
  const auto confirmed = parse_signed(words[2]);
  if (!version || !confirmed) return RecordReader::broken();
  state.version = {.incarnation = std::string(words[0]), .version = *version};
  state.confirmed_at = WallTime(milliseconds(*confirmed));
  return {};
}

Result<> read_record(RecordReader& reader, Snapshot& snapshot) {
  const auto line = reader.line();
  if (!line) return std::unexpected(line.error());
  const auto words = split(*line, ' ');
  if (words.size() != 3) return RecordReader::broken();
  const auto key_size = parse_unsigned(words[1]);
  const auto document_size = parse_unsigned(words[2]);
  if (!key_size || !document_size) return RecordReader::broken();
  const auto key = reader.bytes(*key_size, 0);
  if (!key) return std::unexpected(key.error());
  const auto document = reader.bytes(*document_size, 1);
  if (!document) return std::unexpected(document.error());
  snapshot.documents[std::string(words[0])][std::string(*key)] = std::string(*document);
  return {};
}

}  // namespace

std::string encode_snapshot(const SnapshotState& state, const DocumentMap& documents,
                            const SealingKey& key, Random& random) {
  std::string plain = fmt::format("{} {} {}\n", state.version.incarnation, state.version.version,
                                  state.confirmed_at.time_since_epoch().count());
  for (const auto& [kind, of_kind] : documents) {
    for (const auto& [name, document] : of_kind) append_record(plain, kind, name, document);
  }
  return std::string(kMagic) + key.seal(kPurpose, plain, random);
}

Result<Snapshot> decode_snapshot(std::string_view file, const SealingKey& key) {
  if (!file.starts_with(kMagic))
    return fail(ErrorKind::kInvalid, "this is no snapshot of this release");
  const auto plain = key.open(kPurpose, file.substr(kMagic.size()));
  if (!plain) return std::unexpected(plain.error());
  Snapshot snapshot;
  RecordReader reader(plain->reveal());
  if (auto read = read_state(reader, snapshot.state); !read) return std::unexpected(read.error());
  while (!reader.at_end()) {
    if (auto read = read_record(reader, snapshot); !read) return std::unexpected(read.error());
  }
  return snapshot;
}

Result<> write_snapshot(const std::string& path, const SnapshotState& state,
                        const DocumentMap& documents, const SealingKey& key, Random& random) {
  return write_private_file(path, encode_snapshot(state, documents, key, random));
}

Result<Snapshot> read_snapshot(const std::string& path, const SealingKey& key) {
  const auto file = read_private_file(path);
  if (!file) return std::unexpected(file.error());
  auto snapshot = decode_snapshot(*file, key);
  if (!snapshot) return fail_with_context(path, snapshot.error());
  return snapshot;
}

}  // namespace partywall::store
