#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/crypto.h"
#include "base/result.h"
#include "base/uuid.h"

// The keys of one tenant on their way: a stream of frames, in a file or between two programs.
//
//   "PWCACHE1"                       the format and its version
//   frame*                           type (1 byte), length (4 bytes), content, seal (8 bytes)
//
// Numbers are little-endian. The seal is the beginning of SHA-256(chain before | SHA-256(frame)),
// whose whole is the chain after it: a frame that is changed, left out, or at another place shows
// at once. Frames, in this order:
//   'H'  tenant (16 bytes), wall clock of the export (8 bytes, milliseconds)
//   'D'  number of the database that the keys behind it are in (4 bytes); before the first, it is 0
//   'K'  expiry (8 bytes: milliseconds of the wall clock, 0: none), length of the key (4 bytes),
//        key, payload as DUMP gives it
//   'E'  number of keys (8 bytes)
// A stream without 'E' was cut off. Keys have no prefix of their tenant.
namespace partywall::cache {

using ByteSink = std::function<Result<>(std::string_view bytes)>;
// Fills at most the span; 0: the end.
using ByteSource = std::function<Result<size_t>(std::span<char> into)>;

// Of one frame. Redis's own bound for a value is 512 MiB (proto-max-bulk-len).
inline constexpr uint64_t kMaxFrameBytes = 640ULL << 20;

struct DumpHeader {
  Uuid tenant;
  uint64_t created_at_ms = 0;
};

struct DumpedKey {
  std::string key;
  uint64_t expires_at_ms = 0;  // 0: never
  std::string payload;
  uint32_t database = 0;  // the tenant's number of it
};

// What both ends compute over the frames.
class SealChain {
 public:
  // The seal of the frame (type, length and content) that follows those before it.
  std::string add(std::string_view head, std::string_view content);

 private:
  Sha256Digest chain_{};
};

class DumpWriter {
 public:
  explicit DumpWriter(ByteSink sink) : sink_(std::move(sink)) {}
  Result<> begin(const DumpHeader& header);
  Result<> add(const DumpedKey& key);
  Result<> end();
  [[nodiscard]] uint64_t keys() const { return keys_; }

 private:
  Result<> write(char type, std::string_view content);

  ByteSink sink_;
  SealChain chain_;
  uint64_t keys_ = 0;
  uint32_t database_ = 0;  // of the last key
};

// Every failure is kInvalid (the stream is not one, or damaged) or the source's own.
class DumpReader {
 public:
  explicit DumpReader(ByteSource source, uint64_t max_frame_bytes = kMaxFrameBytes)
      : source_(std::move(source)), max_frame_bytes_(max_frame_bytes) {}

  Result<DumpHeader> begin();
  // False: that was all, and it is complete.
  Result<bool> next(DumpedKey& key);

 private:
  struct Frame {
    char type = 0;
    std::string content;
  };
  Result<Frame> read_frame();
  Result<> read_exactly(std::span<char> into);

  ByteSource source_;
  uint64_t max_frame_bytes_;
  SealChain chain_;
  uint64_t keys_ = 0;
  uint32_t database_ = 0;  // of the keys that come next
};

}  // namespace partywall::cache
