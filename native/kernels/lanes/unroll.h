// Loops over register tiles are written as loops and must vanish: an array of vectors that is indexed by a variable
// would live in memory.
#pragma once

#if defined(__clang__)
#define SETNET_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define SETNET_UNROLL _Pragma("GCC unroll 16")
#else
#define SETNET_UNROLL
#endif
