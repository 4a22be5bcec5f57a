// How many 8-bit multiply-adds a second one thread of this processor can do: vpdpbusd on registers alone.
#include <immintrin.h>

#include <chrono>

extern "C" __attribute__((target("avx512f,avx512vnni"))) double multiply_adds_per_second(long rounds) {
  __m512i sums[24], left = _mm512_set1_epi8(1), right = _mm512_set1_epi8(1);
#pragma GCC unroll 24
  for (int at = 0; at < 24; at++) sums[at] = _mm512_setzero_si512();  // unrolled, or all of them live in memory
  const auto began = std::chrono::steady_clock::now();
  for (long round = 0; round < rounds; round++) {
#pragma GCC unroll 24
    for (int at = 0; at < 24; at++) asm volatile("vpdpbusd %2, %1, %0" : "+v"(sums[at]) : "v"(left), "v"(right));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return 24.0 * 64 * rounds / took.count();
}
