// The ceilings of this machine: what one core, or several at once, can do at most of each thing that kernels are made
// of. Rates are medians over repeats; each of several threads has data of its own, and their rates are added.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "caches.h"
#include "openblas.h"
#include "support.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define BENCH_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define BENCH_UNROLL _Pragma("clang loop unroll(full)")
#else
#define BENCH_UNROLL _Pragma("GCC unroll 32")
#endif

namespace bench {

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
// GCC 12's own headers begin some intrinsics with an undefined vector, on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
namespace avx512 {
using Vec = __m512;
using Four = __m512;
constexpr int kWidth = 16;
constexpr int kFmaChains = 24;
BENCH_INLINE Vec load(const float* p) { return _mm512_load_ps(p); }
BENCH_INLINE void store(float* p, Vec a) { _mm512_store_ps(p, a); }
BENCH_INLINE Vec splat(float a) { return _mm512_set1_ps(a); }
BENCH_INLINE Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
BENCH_INLINE Vec madd(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
BENCH_INLINE void consume(Vec a) { asm volatile("" : : "v"(a)); }
BENCH_INLINE Four loadFour(const float* p) { return _mm512_broadcast_f32x4(_mm_load_ps(p)); }
template <int Lane>
BENCH_INLINE Vec maddLane(Four four, Vec x, Vec sum) {
  return _mm512_fmadd_ps(_mm512_permute_ps(four, Lane * 0x55), x, sum);
}
template <bool Wide>
BENCH_INLINE __m128 pick4(const float* x, const uint16_t* indices) {
  if constexpr (!Wide) return _mm_setr_ps(x[indices[0]], x[indices[1]], x[indices[2]], x[indices[3]]);
  uint64_t four;
  __builtin_memcpy(&four, indices, sizeof four);
  return _mm_setr_ps(x[four & 0xFFFF], x[four >> 16 & 0xFFFF], x[four >> 32 & 0xFFFF], x[four >> 48]);
}
template <bool Wide>
BENCH_INLINE Vec pick(const float* x, const uint16_t* i) {
  const __m256 low = _mm256_set_m128(pick4<Wide>(x, i + 4), pick4<Wide>(x, i));
  const __m256 high = _mm256_set_m128(pick4<Wide>(x, i + 12), pick4<Wide>(x, i + 8));
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}
#include "ceiling_loops.inl"

static void hardwareGatherLoop(const float* x, const uint32_t* indices, const float* weights, size_t count,
                               float* sink) {
  Vec sums[4] = {splat(0), splat(0), splat(0), splat(0)};
  for (size_t k = 0; k < count; k += 64) {
    BENCH_UNROLL
    for (int i = 0; i < 4; ++i) {
      const __m512i index = _mm512_load_si512(indices + k + 16 * i);
      // The masked form starts from zeros: the plain one carries a false dependency on its own result.
      const Vec picked = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xFFFF, index, x, 4);
      sums[i] = madd(load(weights + k + 16 * i), picked, sums[i]);
    }
  }
  store(sink, add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}
}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {
using Vec = __m256;
using Four = __m256;
constexpr int kWidth = 8;
constexpr int kFmaChains = 12;
BENCH_INLINE Vec load(const float* p) { return _mm256_load_ps(p); }
BENCH_INLINE void store(float* p, Vec a) { _mm256_store_ps(p, a); }
BENCH_INLINE Vec splat(float a) { return _mm256_set1_ps(a); }
BENCH_INLINE Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
BENCH_INLINE Vec madd(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
BENCH_INLINE void consume(Vec a) { asm volatile("" : : "x"(a)); }
BENCH_INLINE Four loadFour(const float* p) { return _mm256_broadcast_ps(reinterpret_cast<const __m128*>(p)); }
template <int Lane>
BENCH_INLINE Vec maddLane(Four four, Vec x, Vec sum) {
  return _mm256_fmadd_ps(_mm256_permute_ps(four, Lane * 0x55), x, sum);
}
template <bool Wide>
BENCH_INLINE __m128 pick4(const float* x, const uint16_t* indices) {
  if constexpr (!Wide) return _mm_setr_ps(x[indices[0]], x[indices[1]], x[indices[2]], x[indices[3]]);
  uint64_t four;
  __builtin_memcpy(&four, indices, sizeof four);
  return _mm_setr_ps(x[four & 0xFFFF], x[four >> 16 & 0xFFFF], x[four >> 32 & 0xFFFF], x[four >> 48]);
}
template <bool Wide>
BENCH_INLINE Vec pick(const float* x, const uint16_t* i) {
  return _mm256_set_m128(pick4<Wide>(x, i + 4), pick4<Wide>(x, i));
}
#include "ceiling_loops.inl"

static void hardwareGatherLoop(const float* x, const uint32_t* indices, const float* weights, size_t count,
                               float* sink) {
  Vec sums[8];
  BENCH_UNROLL
  for (int i = 0; i < 8; ++i) sums[i] = splat(0);
  const Vec all = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  for (size_t k = 0; k < count; k += 64) {
    BENCH_UNROLL
    for (int i = 0; i < 8; ++i) {
      const __m256i index = _mm256_load_si256(reinterpret_cast<const __m256i*>(indices + k + 8 * i));
      const Vec picked = _mm256_mask_i32gather_ps(_mm256_setzero_ps(), x, index, all, 4);
      sums[i] = madd(load(weights + k + 8 * i), picked, sums[i]);
    }
  }
  Vec sum = sums[0];
  BENCH_UNROLL
  for (int i = 1; i < 8; ++i) sum = add(sum, sums[i]);
  store(sink, sum);
}
}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#elif defined(__aarch64__)

namespace neon {
using Vec = float32x4_t;
using Four = float32x4_t;
constexpr int kWidth = 4;
constexpr int kFmaChains = 24;
BENCH_INLINE Vec load(const float* p) { return vld1q_f32(p); }
BENCH_INLINE void store(float* p, Vec a) { vst1q_f32(p, a); }
BENCH_INLINE Vec splat(float a) { return vdupq_n_f32(a); }
BENCH_INLINE Vec add(Vec a, Vec b) { return vaddq_f32(a, b); }
BENCH_INLINE Vec madd(Vec a, Vec b, Vec c) { return vfmaq_f32(c, a, b); }
BENCH_INLINE void consume(Vec a) { asm volatile("" : : "w"(a)); }
BENCH_INLINE Four loadFour(const float* p) { return vld1q_f32(p); }
template <int Lane>
BENCH_INLINE Vec maddLane(Four four, Vec x, Vec sum) {
  return vfmaq_laneq_f32(sum, x, four, Lane);
}
template <bool>
BENCH_INLINE Vec pick(const float* x, const uint16_t* indices) {
  Vec picked = vld1q_dup_f32(x + indices[0]);
  picked = vld1q_lane_f32(x + indices[1], picked, 1);
  picked = vld1q_lane_f32(x + indices[2], picked, 2);
  return vld1q_lane_f32(x + indices[3], picked, 3);
}
#include "ceiling_loops.inl"
}  // namespace neon

#endif

using RowsLoop = void (*)(const float* table, const uint16_t* indices, const float* weights, size_t count, float* sink);

// The loops of one instruction set.
struct CeilingIsa {
  const char* name;
  bool runsHere;
  size_t fmaFlops;  // of one step
  void (*fma)(size_t steps, float* sink);
  void (*read)(const float* data, size_t count);
  void (*update)(float* data, size_t count);
  // Several register tilings each: which one is quickest differs between processors.
  std::vector<RowsLoop> rows16, rows32, softwareGather;
  void (*hardwareGather)(const float* x, const uint32_t* indices, const float* weights, size_t count, float* sink);
};

// The best first, as kernels::available(); empty on processors that have none of them.
inline std::vector<CeilingIsa> ceilingIsas() {
  std::vector<CeilingIsa> isas;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool hasAvx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool hasAvx512 = hasAvx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  isas.push_back({"avx512",
                  hasAvx512,
                  2 * avx512::kWidth * avx512::kFmaChains,
                  &avx512::fmaLoop,
                  &avx512::readLoop,
                  &avx512::updateLoop,
                  {&avx512::rowsLoop<16, 8>, &avx512::rowsLoop<16, 16>},
                  {&avx512::rowsLoop<32, 4>, &avx512::rowsLoop<32, 8>},
                  {&avx512::softwareGatherLoop<false>, &avx512::softwareGatherLoop<true>},
                  &avx512::hardwareGatherLoop});
  isas.push_back({"avx2",
                  hasAvx2,
                  2 * avx2::kWidth * avx2::kFmaChains,
                  &avx2::fmaLoop,
                  &avx2::readLoop,
                  &avx2::updateLoop,
                  {&avx2::rowsLoop<16, 4>, &avx2::rowsLoop<16, 2>},
                  {&avx2::rowsLoop<32, 2>, &avx2::rowsLoop<32, 1>},
                  {&avx2::softwareGatherLoop<false>, &avx2::softwareGatherLoop<true>},
                  &avx2::hardwareGatherLoop});
#elif defined(__aarch64__)
  isas.push_back({"neon",
                  true,
                  2 * neon::kWidth * neon::kFmaChains,
                  &neon::fmaLoop,
                  &neon::readLoop,
                  &neon::updateLoop,
                  {&neon::rowsLoop<16, 4>, &neon::rowsLoop<16, 2>},
                  {&neon::rowsLoop<32, 2>, &neon::rowsLoop<32, 1>},
                  {&neon::softwareGatherLoop<false>},
                  nullptr});
#endif
  return isas;
}

struct Rate {
  double value = 0;  // of all threads together, per second; the median of the repeats
  double best = 0;
  int repeats = 0;
};

// A point where threads wait for each other. They spin: a thread that sleeps starts late.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}
  void wait() {
    const int turn = turn_.load();
    if (waiting_.fetch_add(1) + 1 == threads_) {
      waiting_.store(0);
      turn_.store(turn + 1);
      return;
    }
    while (turn_.load() == turn) std::this_thread::yield();
  }

 private:
  const int threads_;
  std::atomic<int> waiting_{0}, turn_{0};
};

class CeilingMeter {
 public:
  CeilingMeter(int threads, const Timing& timing) : threads_(threads), timing_(timing) {}

  int threads() const { return threads_; }
  const Caches& caches() const { return caches_; }

  // FLOP/s of multiply-adds on registers.
  Rate fma(const CeilingIsa& isa) const {
    constexpr size_t kSteps = 1000;
    return run(static_cast<double>(kSteps * isa.fmaFlops),
               [&](uint64_t) { return [&isa, sink = Buffer<float>(64)]() mutable { isa.fma(kSteps, sink.data()); }; });
  }
  // Bytes/s of reading `bytes` over and over.
  Rate read(const CeilingIsa& isa, size_t bytes) const {
    const size_t count = bytes / sizeof(float) / 256 * 256;
    return run(static_cast<double>(count * sizeof(float)), [&](uint64_t seed) {
      Buffer<float> data(count);
      data.fillRandom(seed);
      return [&isa, data = std::move(data)]() { isa.read(data.data(), data.size()); };
    });
  }
  // Bytes/s, read and written, of updating `bytes` in place over and over.
  Rate update(const CeilingIsa& isa, size_t bytes) const {
    const size_t count = bytes / sizeof(float) / 256 * 256;
    return run(2.0 * static_cast<double>(count * sizeof(float)), [&](uint64_t seed) {
      Buffer<float> data(count);
      data.fillRandom(seed);
      return [&isa, data = std::move(data)]() mutable { isa.update(data.data(), data.size()); };
    });
  }
  // FLOP/s of multiplying rows of 16 or 32 floats, picked from `bytes` of them, by a weight each and adding them up.
  Rate randomRows(const CeilingIsa& isa, int floats, size_t bytes) const {
    const size_t rows = std::min(bytes / sizeof(float) / static_cast<size_t>(floats), size_t{65536});
    // Long enough to touch most rows, so that a set in L3 does not shrink to what L2 holds.
    const size_t count = std::max(size_t{16384}, 2 * rows);
    Rate best;
    for (const RowsLoop loop : floats == 16 ? isa.rows16 : isa.rows32) {
      best = larger(best, run(2.0 * floats * static_cast<double>(count), [&](uint64_t seed) {
                      Random random(seed);
                      Buffer<float> table(rows * static_cast<size_t>(floats)), weights(count), sink(64);
                      Buffer<uint16_t> indices(count);
                      table.fillRandom(seed + 1);
                      weights.fillRandom(seed + 2);
                      for (uint16_t& index : indices) index = static_cast<uint16_t>(random.below(rows));
                      return [loop, table = std::move(table), weights = std::move(weights),
                              indices = std::move(indices), sink = std::move(sink)]() mutable {
                        loop(table.data(), indices.data(), weights.data(), indices.size(), sink.data());
                      };
                    }));
    }
    return best;
  }
  // Elements/s gathered from 4 KB, multiplied by weights and added up.
  Rate softwareGather(const CeilingIsa& isa) const {
    Rate best;
    for (const RowsLoop loop : isa.softwareGather) best = larger(best, gather<uint16_t>(loop));
    return best;
  }
  Rate hardwareGather(const CeilingIsa& isa) const { return gather<uint32_t>(isa.hardwareGather); }
  // Bytes/s of reading once what another core has written a moment ago: what bounds threads that work on each other's
  // results. One reader, whatever threads() is.
  Rate handOver(const CeilingIsa& isa, size_t bytes) const {
    Buffer<float> data(bytes / sizeof(float));
    Barrier barrier(2);
    const int rounds = 4 * timing_.repeats;
    std::thread writer([&] {
      for (int r = 0; r < rounds; ++r) {
        barrier.wait();
        isa.update(data.data(), data.size());
        barrier.wait();
      }
    });
    std::vector<double> rates;
    for (int r = 0; r < rounds; ++r) {
      barrier.wait();
      barrier.wait();
      const double start = now();
      isa.read(data.data(), data.size());
      rates.push_back(static_cast<double>(bytes) / (now() - start));
    }
    writer.join();
    return {median(rates), *std::max_element(rates.begin(), rates.end()), rounds};
  }

 private:
  static Rate larger(const Rate& a, const Rate& b) { return b.value > a.value ? b : a; }

  // The calls of a repeat run on all threads at once. `make(seed)` gives a thread's call with data of its own; one call
  // does `amount` of work.
  template <class Make>
  Rate run(double amount, Make&& make) const {
    std::vector<double> rates(static_cast<size_t>(timing_.repeats * threads_));
    Barrier barrier(threads_);
    const auto work = [&](int thread) {
      auto call = make(static_cast<uint64_t>(thread + 1));
      // Without repeats of its own, this warms up and says how long a call takes.
      const Measured single = measure({timing_.seconds / 4, 1}, call);
      const int calls = static_cast<int>(std::min(1e7, std::max(1.0, timing_.seconds / single.seconds)));
      for (int r = 0; r < timing_.repeats; ++r) {
        barrier.wait();
        const double start = now();
        for (int i = 0; i < calls; ++i) call();
        rates[static_cast<size_t>(r * threads_ + thread)] = amount * calls / (now() - start);
      }
    };
    std::vector<std::thread> others;
    for (int t = 1; t < threads_; ++t) others.emplace_back(work, t);
    work(0);
    for (std::thread& thread : others) thread.join();
    std::vector<double> sums;
    for (int r = 0; r < timing_.repeats; ++r) {
      double sum = 0;
      for (int t = 0; t < threads_; ++t) sum += rates[static_cast<size_t>(r * threads_ + t)];
      sums.push_back(sum);
    }
    return {median(sums), *std::max_element(sums.begin(), sums.end()), timing_.repeats};
  }

  template <class Index, class Loop>
  Rate gather(Loop loop) const {
    constexpr size_t kFrom = 1024, kCount = 4096;
    return run(static_cast<double>(kCount), [&](uint64_t seed) {
      Random random(seed);
      Buffer<float> x(kFrom), weights(kCount), sink(64);
      Buffer<Index> indices(kCount);
      x.fillRandom(seed + 1);
      weights.fillRandom(seed + 2);
      for (Index& index : indices) index = static_cast<Index>(random.below(kFrom));
      return [loop, x = std::move(x), weights = std::move(weights), indices = std::move(indices),
              sink = std::move(sink)]() mutable {
        loop(x.data(), indices.data(), weights.data(), indices.size(), sink.data());
      };
    });
  }

  int threads_;
  Timing timing_;
  Caches caches_ = findCaches();
};

// FLOP/s of OpenBLAS on square matrices that L2 does not hold.
inline Measured sgemmSeconds(const OpenBlas& blas, int size, const Timing& timing) {
  const size_t cells = static_cast<size_t>(size) * static_cast<size_t>(size);
  Buffer<float> a(cells), b(cells), c(cells);
  a.fillRandom(1);
  b.fillRandom(2);
  return measure(timing, [&] {
    blas.sgemm(kRowMajor, kNoTranspose, kNoTranspose, size, size, size, 1, a.data(), size, b.data(), size, 0, c.data(),
               size);
  });
}

}  // namespace bench
