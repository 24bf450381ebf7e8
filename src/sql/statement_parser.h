#pragma once

#include "sql/lexer.h"
#include "sql/statement.h"

namespace partywall::sql {

// Recognises the one statement that starts at `start`, which must not be blank, a comment or a
// semicolon. Fills in everything but `text`, and reads no further than needed to know the kind.
Statement recognise_statement(std::string_view sql, size_t start, SqlSyntax syntax);

}  // namespace partywall::sql
