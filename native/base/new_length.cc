// std::vector's "new T[n] with a negative or too large n" calls a function that libstdc++ has only since
// GLIBCXX_3.4.29. A definition of our own, hidden in the library, keeps the addon loadable on systems with an older
// libstdc++.
#include <new>

#if defined(__GLIBCXX__)
namespace std {

[[noreturn]] __attribute__((visibility("hidden"))) void __throw_bad_array_new_length() { throw bad_array_new_length(); }

}  // namespace std
#endif
