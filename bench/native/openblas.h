// OpenBLAS, loaded at run time, so that nothing here depends on it.
#pragma once

#include <dlfcn.h>
#include <stdlib.h>

#include <string>

namespace bench {

// The values of cblas.h.
constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;

struct OpenBlas {
  void (*sgemm)(int order, int transposeA, int transposeB, int m, int n, int k, float alpha, const float* a, int lda,
                const float* b, int ldb, float beta, float* c, int ldc) = nullptr;
  void (*sgemv)(int order, int transpose, int m, int n, float alpha, const float* a, int lda, const float* x, int incx,
                float beta, float* y, int incy) = nullptr;
  std::string core, version;
  std::string absent;  // why it is not there; empty: it is

  // `library` empty: SETNET_OPENBLAS, or the system's.
  static OpenBlas load(int threads, std::string library = "") {
    // Read when the library is loaded: the first two can make it choose slower kernels than the processor has.
    ::unsetenv("OPENBLAS_CORETYPE");
    ::unsetenv("OPENBLAS_L2_SIZE");
    ::setenv("OPENBLAS_NUM_THREADS", std::to_string(threads).c_str(), 1);
    const char* named = ::getenv("SETNET_OPENBLAS");
    if (library.empty() && named) library = named;
#if defined(__APPLE__)
    if (library.empty()) library = "libopenblas.dylib";
#endif
    if (library.empty()) library = "libopenblas.so.0";

    OpenBlas blas;
    void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      blas.absent = ::dlerror();
      return blas;
    }
    find(handle, "cblas_sgemm", &blas.sgemm);
    find(handle, "cblas_sgemv", &blas.sgemv);
    const char* (*coreName)() = nullptr;
    const char* (*config)() = nullptr;
    void (*setThreads)(int) = nullptr;
    find(handle, "openblas_get_corename", &coreName);
    find(handle, "openblas_get_config", &config);
    find(handle, "openblas_set_num_threads", &setThreads);
    if (!blas.sgemm || !blas.sgemv || !coreName || !config || !setThreads) {
      blas.absent = library + " is not OpenBLAS: cblas_sgemm, cblas_sgemv or openblas_* is missing";
      return blas;
    }
    setThreads(threads);
    blas.core = coreName();
    // The first two words of the configuration are name and version.
    const std::string text = config();
    const size_t space = text.find(' ');
    blas.version = text.substr(0, space == std::string::npos ? space : text.find(' ', space + 1));
    return blas;
  }

 private:
  template <class Function>
  static void find(void* handle, const char* name, Function* function) {
    *function = reinterpret_cast<Function>(::dlsym(handle, name));
  }
};

}  // namespace bench
