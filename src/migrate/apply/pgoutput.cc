#include "migrate/apply/pgoutput.h"

#include <fmt/format.h>

#include "migrate/apply/big_endian.h"

namespace partywall::migrate::pgoutput {
namespace {

using sql::FieldReader;

constexpr uint8_t kCascade = 1;
constexpr uint8_t kRestartIdentity = 2;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorKind::kInvalid,
              "the source's change stream cannot be read: {}. It speaks another version of "
              "pgoutput, or bytes were lost on the way; nothing of this message was applied",
              what);
}

// The one of `message`, made if it holds another.
template <class Kind>
Kind& make(Message& message) {
  if (Kind* const same = std::get_if<Kind>(&message)) return *same;
  return message.emplace<Kind>();
}

class Decoder {
 public:
  Decoder(std::string_view body, const Limits& limits) : reader_(body), limits_(limits) {}

  Result<> decode(char kind, Message& message) {
    switch (kind) {
      case 'B':
        return begin(make<Begin>(message));
      case 'C':
        return commit(make<Commit>(message));
      case 'O':
        return origin(make<Origin>(message));
      case 'R':
        return relation(make<Relation>(message));
      case 'Y':
        return type(make<Type>(message));
      case 'I':
        return insert(make<Insert>(message));
      case 'U':
        return update(make<Update>(message));
      case 'D':
        return delete_row(make<Delete>(message));
      case 'T':
        return truncate(make<Truncate>(message));
      case 'M':
        return logical_message(make<LogicalMessage>(message));
      default:
        return malformed(fmt::format("there is no message of the kind {}", uint8_t(kind)));
    }
  }

 private:
  Lsn lsn() { return {read_u64(reader_)}; }
  ServerTime time() { return {static_cast<int64_t>(read_u64(reader_))}; }

  Result<> end(std::string_view kind) {
    if (reader_.ok_and_at_end()) return {};
    return malformed(fmt::format("a message {} of a wrong length", kind));
  }

  Result<> begin(Begin& into) {
    into.commit = lsn();
    into.committed_at = time();
    into.transaction = reader_.u32();
    return end("Begin");
  }

  Result<> commit(Commit& into) {
    if (reader_.u8() != 0) return malformed("a Commit with unknown flags");
    into.commit = lsn();
    into.end = lsn();
    into.committed_at = time();
    return end("Commit");
  }

  Result<> origin(Origin& into) {
    into.commit = lsn();
    into.name = reader_.c_string();
    return end("Origin");
  }

  Result<> relation(Relation& into) {
    into.id = reader_.u32();
    into.schema = reader_.c_string();
    into.name = reader_.c_string();
    into.replica_identity = static_cast<char>(reader_.u8());
    if (std::string_view("dnfi").find(into.replica_identity) == std::string_view::npos)
      return malformed("a Relation with an unknown replica identity");
    const size_t count = reader_.u16();
    if (count > limits_.columns) return malformed("a Relation with too many columns");
    into.columns.clear();
    for (size_t i = 0; i < count && reader_.ok(); ++i) {
      const uint8_t flags = reader_.u8();
      if (flags > 1) return malformed("a column with unknown flags");
      RelationColumn& column = into.columns.emplace_back();
      column.is_key = flags == 1;
      column.name = reader_.c_string();
      column.type = reader_.u32();
      column.type_modifier = static_cast<int32_t>(reader_.u32());
    }
    return end("Relation");
  }

  Result<> type(Type& into) {
    into.id = reader_.u32();
    into.schema = reader_.c_string();
    into.name = reader_.c_string();
    return end("Type");
  }

  Result<> tuple(Tuple& into) {
    const size_t count = reader_.u16();
    if (count > limits_.columns) return malformed("a row with too many columns");
    into.clear();
    for (size_t i = 0; i < count && reader_.ok(); ++i) {
      switch (reader_.u8()) {
        case 'n':
          into.push_back({ValueKind::kNull, {}});
          break;
        case 'u':
          into.push_back({ValueKind::kUnchanged, {}});
          break;
        case 't': {
          const size_t length = reader_.u32();
          into.push_back({ValueKind::kText, reader_.bytes(length)});
          if (into.back().text.find('\0') != std::string_view::npos)
            return malformed("a value with a zero byte");
          break;
        }
        default:
          return malformed("a row with a value of an unknown kind");
      }
    }
    if (!reader_.ok()) return malformed("a row that is cut short");
    return {};
  }

  Result<> new_tuple(Tuple& into) {
    if (reader_.u8() != 'N') return malformed("a change without its new row");
    return tuple(into);
  }

  Result<> insert(Insert& into) {
    into.relation = reader_.u32();
    if (auto read = new_tuple(into.row); !read) return read;
    return end("Insert");
  }

  Result<> update(Update& into) {
    into.relation = reader_.u32();
    into.old_row.clear();
    into.old_kind = OldTupleKind::kNone;
    if (const auto rest = reader_.rest(); rest.starts_with('K') || rest.starts_with('O')) {
      into.old_kind = reader_.u8() == 'K' ? OldTupleKind::kKey : OldTupleKind::kFull;
      if (auto read = tuple(into.old_row); !read) return read;
    }
    if (auto read = new_tuple(into.row); !read) return read;
    return end("Update");
  }

  Result<> delete_row(Delete& into) {
    into.relation = reader_.u32();
    const uint8_t kind = reader_.u8();
    if (kind != 'K' && kind != 'O') return malformed("a Delete without the row's key");
    into.old_kind = kind == 'K' ? OldTupleKind::kKey : OldTupleKind::kFull;
    if (auto read = tuple(into.old_row); !read) return read;
    return end("Delete");
  }

  Result<> truncate(Truncate& into) {
    const size_t count = reader_.u32();
    const uint8_t flags = reader_.u8();
    if (flags > (kCascade | kRestartIdentity)) return malformed("a Truncate with unknown flags");
    into.cascade = (flags & kCascade) != 0;
    into.restart_identity = (flags & kRestartIdentity) != 0;
    if (reader_.rest().size() != count * sizeof(RelationId))
      return malformed("a message Truncate of a wrong length");
    into.relations.clear();
    for (size_t i = 0; i < count; ++i) into.relations.push_back(reader_.u32());
    return end("Truncate");
  }

  Result<> logical_message(LogicalMessage& into) {
    const uint8_t flags = reader_.u8();
    if (flags > 1) return malformed("a logical message with unknown flags");
    into.is_transactional = flags == 1;
    into.at = lsn();
    into.prefix = reader_.c_string();
    into.content = reader_.bytes(reader_.u32());
    return end("Message");
  }

  FieldReader reader_;
  const Limits& limits_;
};

}  // namespace

Result<> decode(std::string_view bytes, Message& message, const Limits& limits) {
  if (bytes.empty()) return malformed("an empty message");
  if (bytes.size() > limits.message_bytes) return malformed("a message that is too long");
  return Decoder(bytes.substr(1), limits).decode(bytes.front(), message);
}

}  // namespace partywall::migrate::pgoutput
