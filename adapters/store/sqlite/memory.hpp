#pragma once

namespace signalbox::sqlite {

/// Has SQLite keep small blocks per thread and give them out again, from its first use on; too
/// late, and harmless, when something else in the process has used SQLite before. Every statement
/// opens a cursor for each index of a table that it writes, ten at a time and more, which overflows
/// the C library's per-thread cache; SQLite's own remedy, lookaside memory, is compiled out in
/// Debian. A thread keeps at most 64 KiB of each of 16 sizes, until it ends.
void keep_small_blocks();

} // namespace signalbox::sqlite
