#include "cache/transfer/dump_stream.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace partywall::cache {
namespace {

constexpr std::string_view kMagic = "PWCACHE1";
constexpr size_t kSealBytes = 8;
constexpr size_t kHeadBytes = 5;
constexpr size_t kKeyHeadBytes = 12;
constexpr size_t kUuidBytes = 16;

template <class Number>
void append_number(std::string& out, Number value) {
  for (size_t i = 0; i < sizeof(Number); ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

// The first bytes of `from`, which has enough.
template <class Number>
Number read_number(std::string_view from) {
  Number value = 0;
  for (size_t i = 0; i < sizeof(Number); ++i)
    value |= static_cast<Number>(static_cast<uint8_t>(from[i])) << (8 * i);
  return value;
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorKind::kInvalid, "the export is damaged: {}; make a new one", what);
}

}  // namespace

std::string SealChain::add(std::string_view head, std::string_view content) {
  std::string text(as_bytes(chain_));
  text += head;
  text += as_bytes(sha256(content));
  chain_ = sha256(text);
  return std::string(as_bytes(chain_).substr(0, kSealBytes));
}

Result<> DumpWriter::begin(const DumpHeader& header) {
  if (auto written = sink_(kMagic); !written) return written;
  std::string content;
  append_number(content, header.tenant.high());
  append_number(content, header.tenant.low());
  append_number(content, header.created_at_ms);
  return write('H', content);
}

Result<> DumpWriter::add(const DumpedKey& key) {
  std::string content;
  if (key.database != database_) {
    append_number(content, key.database);
    if (auto written = write('D', content); !written) return written;
    database_ = key.database;
    content.clear();
  }
  content.reserve(kKeyHeadBytes + key.key.size() + key.payload.size());
  append_number(content, key.expires_at_ms);
  append_number(content, static_cast<uint32_t>(key.key.size()));
  content += key.key;
  content += key.payload;
  ++keys_;
  return write('K', content);
}

Result<> DumpWriter::end() {
  std::string content;
  append_number(content, keys_);
  return write('E', content);
}

Result<> DumpWriter::write(char type, std::string_view content) {
  if (content.size() > kMaxFrameBytes)
    return fail(ErrorKind::kLimit, "a key of {} bytes is too big for an export", content.size());
  std::string head(1, type);
  append_number(head, static_cast<uint32_t>(content.size()));
  const std::string seal = chain_.add(head, content);
  for (const std::string_view part : {std::string_view(head), content, std::string_view(seal)}) {
    if (auto written = sink_(part); !written) return written;
  }
  return {};
}

Result<DumpHeader> DumpReader::begin() {
  std::array<char, kMagic.size()> magic{};
  if (auto read = read_exactly(magic); !read) return std::unexpected(read.error());
  if (std::string_view(magic.data(), magic.size()) != kMagic) {
    return fail(ErrorKind::kInvalid,
                "this is not an export of a cache, or one of another version of Partywall");
  }
  const auto frame = read_frame();
  if (!frame) return std::unexpected(frame.error());
  const std::string_view content = frame->content;
  if (frame->type != 'H' || content.size() != kUuidBytes + sizeof(uint64_t))
    return damaged("it does not begin with its header");
  return DumpHeader{.tenant = Uuid::from_halves(read_number<uint64_t>(content),
                                                read_number<uint64_t>(content.substr(8))),
                    .created_at_ms = read_number<uint64_t>(content.substr(kUuidBytes))};
}

Result<bool> DumpReader::next(DumpedKey& key) {
  auto frame = read_frame();
  if (!frame) return std::unexpected(frame.error());
  if (frame->type == 'D') {
    if (frame->content.size() != sizeof(uint32_t)) return damaged("a part of it has no sense");
    database_ = read_number<uint32_t>(frame->content);
    frame = read_frame();
    if (!frame) return std::unexpected(frame.error());
  }
  const std::string_view content = frame->content;
  if (frame->type == 'E') {
    if (content.size() != sizeof(uint64_t) || read_number<uint64_t>(content) != keys_)
      return damaged("it does not hold as many keys as it says");
    std::array<char, 1> more{};
    const auto rest = source_(more);
    if (!rest) return std::unexpected(rest.error());
    return *rest == 0 ? Result<bool>(false) : damaged("something follows its end");
  }
  if (frame->type != 'K' || content.size() < kKeyHeadBytes)
    return damaged("a part of it is of no known kind");
  const uint64_t length = read_number<uint32_t>(content.substr(sizeof(uint64_t)));
  if (length > content.size() - kKeyHeadBytes) return damaged("a key is longer than its part");
  key.expires_at_ms = read_number<uint64_t>(content);
  key.key = content.substr(kKeyHeadBytes, length);
  key.payload = content.substr(kKeyHeadBytes + length);
  key.database = database_;
  ++keys_;
  return true;
}

Result<DumpReader::Frame> DumpReader::read_frame() {
  std::array<char, kHeadBytes> head{};
  if (auto read = read_exactly(head); !read) return std::unexpected(read.error());
  const std::string_view head_text(head.data(), head.size());
  const uint64_t length = read_number<uint32_t>(head_text.substr(1));
  if (length > max_frame_bytes_) return damaged("a part of it is longer than any can be");
  Frame frame{.type = head[0], .content = {}};
  // As it arrives: a length that is a lie must not take the memory.
  constexpr size_t kPiece = 1UL << 20;
  while (frame.content.size() < length) {
    const size_t old = frame.content.size();
    frame.content.resize(std::min<uint64_t>(length, old + kPiece));
    if (auto read = read_exactly(std::span(frame.content).subspan(old)); !read)
      return std::unexpected(read.error());
  }
  std::array<char, kSealBytes> seal{};
  if (auto read = read_exactly(seal); !read) return std::unexpected(read.error());
  if (chain_.add(head_text, frame.content) != std::string_view(seal.data(), seal.size()))
    return damaged("a checksum is wrong");
  return frame;
}

Result<> DumpReader::read_exactly(std::span<char> into) {
  while (!into.empty()) {
    const auto count = source_(into);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return damaged("it was cut off");
    into = into.subspan(*count);
  }
  return {};
}

}  // namespace partywall::cache
