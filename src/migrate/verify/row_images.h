#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace partywall::migrate {

// A row of a binary COPY stream. Valid while it is visited.
class RowImage {
 public:
  RowImage(std::string_view bytes, const std::vector<size_t>& starts)
      : bytes_(bytes), starts_(starts) {}

  // The images of fields `from` to before `to`, each with its length.
  [[nodiscard]] std::string_view fields(size_t from, size_t to) const {
    return bytes_.substr(starts_[from], starts_[to] - starts_[from]);
  }
  // A field's value; NULL is "".
  [[nodiscard]] std::string_view value(size_t field) const;

 private:
  std::string_view bytes_;
  const std::vector<size_t>& starts_;  // one more than there are fields
};

// Reads a binary COPY stream in pieces of any size. Written apart from the copier's splice, so that
// a mistake in one does not hide in the other.
class RowReader {
 public:
  using Visit = std::function<void(const RowImage&)>;

  RowReader(size_t columns, Visit visit);

  Result<> feed(std::string_view piece);
  // Fails unless the stream is complete.
  [[nodiscard]] Result<> finish() const;

 private:
  [[nodiscard]] bool take_header();
  [[nodiscard]] bool take_row();
  [[nodiscard]] std::string_view rest() const;

  size_t columns_;
  Visit visit_;
  std::vector<size_t> starts_;
  std::string_view piece_;  // what is read from, unless something was left over
  std::string left_over_;
  size_t place_ = 0;
  bool has_header_ = false;
  bool has_trailer_ = false;
  std::string problem_;
};

}  // namespace partywall::migrate
