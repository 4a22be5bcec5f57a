// The scan of a gallery in 8-bit integers: products, bounds and the test against the bar in one pass, in registers.
//
// A block of 12 queries meets a panel of 32 samples. AVX-512 VNNI's vpdpbusd multiplies unsigned by signed bytes, so
// the panel holds code + 128 and each accumulator starts at -128 * (sum of the query's codes) + offset: it ends as
// score + offset, exactly. A panel of 512 dimensions is 16 KB and stays in the L1 cache while all queries pass.
//
// Where there is AVX2 alone, vpmaddwd does the same on 16 bits, as its products of bytes would saturate.
//
// quantisation.py says what the numbers mean, and candidates.py what becomes of what is kept.

#include <immintrin.h>

#include <cstdint>

namespace {

constexpr int kQueries = 12;
constexpr int kSamples = 32;

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,popcnt")))
#define AVX2 __attribute__((target("avx2,fma,popcnt")))

}  // namespace

extern "C" {

struct SampleMatrix {
  const uint8_t* panels;  // [panels][width / 4][32][4], code + 128
  const float* scales;    // [panels][32]; NaN where a row is only there to fill the panel
  int64_t count;          // of panels
  int64_t width;          // of codes, a multiple of 4
};

struct Queries {
  const void* codes;     // [blocks][width / 4][12][4], of int8 for VNNI, of int16 for AVX2
  const int32_t* start;  // [blocks][12], what the accumulators start at
  const float* least;    // [blocks][12], the least (score + offset) * s_g that is kept; NaN for a filling row
  const float* scale;    // [blocks][12]
  const float* offset;   // [blocks][12]
  const float* slack;    // [blocks][12]
  int64_t blocks;
};

struct Candidates {
  int32_t* count;  // [queries]
  int32_t* row;    // [queries][room]
  float* high;     // [queries][room]
  float* low;      // [queries][room]
  int64_t room;
};
}

namespace {

// Keep those of 16 samples that pass; `sized` is (score + offset) * s_g.
VNNI void keep_vnni(const Queries& queries, const Candidates& out, int64_t query, int64_t first, __m512 sized,
                    __m512 scales, __mmask16 passed) {
  const __m512 scale = _mm512_set1_ps(queries.scale[query]), slack = _mm512_set1_ps(queries.slack[query]);
  const __m512 high = _mm512_fmadd_ps(sized, scale, slack);
  const __m512 loss = _mm512_set1_ps(2 * queries.scale[query] * queries.offset[query]);
  const __m512 low = _mm512_sub_ps(high, _mm512_fmadd_ps(scales, loss, _mm512_add_ps(slack, slack)));
  const __m512i row = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int32_t>(first)),
                                       _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  // All 16 are stored, for which there is room; what does not count is overwritten by the next. To store under a
  // mask takes some processors (Zen 4) a hundred cycles.
  const int64_t at = query * out.room + out.count[query];
  _mm512_storeu_si512(out.row + at, _mm512_maskz_compress_epi32(passed, row));
  _mm512_storeu_ps(out.high + at, _mm512_maskz_compress_ps(passed, high));
  _mm512_storeu_ps(out.low + at, _mm512_maskz_compress_ps(passed, low));
  out.count[query] += _mm_popcnt_u32(passed);
}

// One block of queries against one panel; whether any query has no room for another panel.
VNNI __attribute__((noinline)) bool meet_vnni(const SampleMatrix& matrix, const Queries& queries,
                                              const Candidates& out, int64_t block, int64_t panel) {
  const int64_t steps = matrix.width / 4;
  const uint8_t* samples = matrix.panels + panel * matrix.width * kSamples;
  const int32_t* codes = static_cast<const int32_t*>(queries.codes) + block * steps * kQueries;
  const int32_t* start = queries.start + block * kQueries;
  __m512i left[kQueries], right[kQueries];
#pragma GCC unroll 12
  for (int q = 0; q < kQueries; q++) left[q] = right[q] = _mm512_set1_epi32(start[q]);
  for (int64_t step = 0; step < steps; step++, samples += 4 * kSamples, codes += kQueries) {
    const __m512i first = _mm512_load_si512(samples), second = _mm512_load_si512(samples + 64);
#pragma GCC unroll 12
    for (int q = 0; q < kQueries; q++) {
      const __m512i query = _mm512_set1_epi32(codes[q]);
      // By hand, as gcc copies accumulators around the intrinsic.
      asm("vpdpbusd %2, %1, %0" : "+v"(left[q]) : "v"(first), "v"(query));
      asm("vpdpbusd %2, %1, %0" : "+v"(right[q]) : "v"(second), "v"(query));
    }
  }
  const float* of_samples = matrix.scales + panel * kSamples;
  const __m512 s0 = _mm512_loadu_ps(of_samples), s1 = _mm512_loadu_ps(of_samples + 16);
  const float* least = queries.least + block * kQueries;
  __m512 sized0[kQueries], sized1[kQueries];
  unsigned passed = 0;
#pragma GCC unroll 12
  for (int q = 0; q < kQueries; q++) {
    const __m512 bar = _mm512_set1_ps(least[q]);
    sized0[q] = _mm512_mul_ps(_mm512_cvtepi32_ps(left[q]), s0);
    sized1[q] = _mm512_mul_ps(_mm512_cvtepi32_ps(right[q]), s1);
    passed |= _mm512_cmp_ps_mask(sized0[q], bar, _CMP_GE_OQ) | _mm512_cmp_ps_mask(sized1[q], bar, _CMP_GE_OQ);
  }
  if (passed == 0) return false;
  bool full = false;
#pragma GCC unroll 12
  for (int q = 0; q < kQueries; q++) {
    const __m512 bar = _mm512_set1_ps(least[q]);
    const __mmask16 m0 = _mm512_cmp_ps_mask(sized0[q], bar, _CMP_GE_OQ);
    const __mmask16 m1 = _mm512_cmp_ps_mask(sized1[q], bar, _CMP_GE_OQ);
    if (m0 | m1) {
      const int64_t query = block * kQueries + q;
      if (m0) keep_vnni(queries, out, query, panel * kSamples, sized0[q], s0, m0);
      if (m1) keep_vnni(queries, out, query, panel * kSamples + 16, sized1[q], s1, m1);
      full |= out.count[query] + kSamples > out.room;
    }
  }
  return full;
}

// sum += a * b, of 16 bits, two products a lane. By hand, as gcc moves sums to memory around the intrinsics.
AVX2 inline __attribute__((always_inline)) void multiply_add(__m256i& sum, __m256i a, __m256i b) {
  __m256i products;
  asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(a), "x"(b));
}

// The same sums by AVX2, of 6 queries and 8 samples at a time, into scores[12][32].
AVX2 void score_avx2(const SampleMatrix& matrix, const Queries& queries, int64_t block, int64_t panel,
                     int32_t* scores) {
  constexpr int kTogether = 6;
  const int64_t steps = matrix.width / 4;
  const uint8_t* samples = matrix.panels + panel * matrix.width * kSamples;
  const int64_t* codes = static_cast<const int64_t*>(queries.codes) + block * steps * kQueries;
  const int32_t* start = queries.start + block * kQueries;
  for (int first = 0; first < kQueries; first += kTogether) {
    for (int strip = 0; strip < kSamples; strip += 8) {
      __m256i left[kTogether], right[kTogether];  // of each sample two sums, side by side
#pragma GCC unroll 6
      for (int q = 0; q < kTogether; q++) left[q] = right[q] = _mm256_setzero_si256();
      for (int64_t step = 0; step < steps; step++) {
        const __m128i* at = reinterpret_cast<const __m128i*>(samples + (step * kSamples + strip) * 4);
        const __m256i a = _mm256_cvtepu8_epi16(_mm_load_si128(at)), b = _mm256_cvtepu8_epi16(_mm_load_si128(at + 1));
#pragma GCC unroll 6
        for (int q = 0; q < kTogether; q++) {
          const __m256i query = _mm256_set1_epi64x(codes[step * kQueries + first + q]);
          multiply_add(left[q], a, query);
          multiply_add(right[q], b, query);
        }
      }
#pragma GCC unroll 6
      for (int q = 0; q < kTogether; q++) {
        const __m256i sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(left[q], right[q]), _MM_SHUFFLE(3, 1, 2, 0));
        const __m256i begun = _mm256_add_epi32(sums, _mm256_set1_epi32(start[first + q]));
        _mm256_store_si256(reinterpret_cast<__m256i*>(scores + (first + q) * kSamples + strip), begun);
      }
    }
  }
}

AVX2 __attribute__((noinline)) bool meet_avx2(const SampleMatrix& matrix, const Queries& queries,
                                              const Candidates& out, int64_t block, int64_t panel) {
  alignas(32) int32_t scores[kQueries * kSamples];
  alignas(32) float sized[kSamples];
  score_avx2(matrix, queries, block, panel, scores);
  const float* scales = matrix.scales + panel * kSamples;
  bool full = false;
  for (int q = 0; q < kQueries; q++) {
    const int64_t query = block * kQueries + q;
    const __m256 bar = _mm256_set1_ps(queries.least[query]);
    unsigned passed = 0;
    for (int at = 0; at < kSamples; at += 8) {
      const __m256i score = _mm256_load_si256(reinterpret_cast<const __m256i*>(scores + q * kSamples + at));
      const __m256 here = _mm256_mul_ps(_mm256_cvtepi32_ps(score), _mm256_loadu_ps(scales + at));
      _mm256_store_ps(sized + at, here);
      passed |= static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(here, bar, _CMP_GE_OQ))) << at;
    }
    if (passed == 0) continue;
    const float scale = queries.scale[query], slack = queries.slack[query], loss = 2 * scale * queries.offset[query];
    for (; passed != 0; passed &= passed - 1) {
      const int at = __builtin_ctz(passed);
      const int64_t place = query * out.room + out.count[query]++;
      out.row[place] = static_cast<int32_t>(panel * kSamples + at);
      out.high[place] = sized[at] * scale + slack;
      out.low[place] = out.high[place] - (scales[at] * loss + 2 * slack);
    }
    full |= out.count[query] + kSamples > out.room;
  }
  return full;
}

using Meet = bool(const SampleMatrix&, const Queries&, const Candidates&, int64_t block, int64_t panel);

int64_t scan(Meet* meet, const SampleMatrix* matrix, const Queries* queries, const Candidates* out, int64_t from,
             int64_t to, int64_t stride) {
  const int64_t lines = matrix->width * kSamples / 64;
  for (int64_t visit = from; visit < to; visit++) {
    const int64_t panel = static_cast<int64_t>(static_cast<__int128>(visit) * stride % matrix->count);
    const int64_t next = static_cast<int64_t>(static_cast<__int128>(visit + 1) * stride % matrix->count);
    const char* ahead = reinterpret_cast<const char*>(matrix->panels + next * matrix->width * kSamples);
    const int64_t a_block = (lines + queries->blocks - 1) / queries->blocks;
    bool full = false;
    for (int64_t block = 0; block < queries->blocks; block++) {
      for (int64_t line = block * a_block; line < (block + 1) * a_block && line < lines; line++)
        _mm_prefetch(ahead + line * 64, _MM_HINT_T1);
      full |= meet(*matrix, *queries, *out, block, panel);
    }
    if (full) return visit + 1;
  }
  return to;
}

}  // namespace

extern "C" {

// Whether this processor can run rollcall_scan_vnni, and rollcall_scan_avx2.
int rollcall_has_vnni() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

int rollcall_has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

// Scan the visits `from` to `to`, of which visit v goes to panel v * stride mod count; every query must have room
// for one panel. Returns the visit to go on with: before `to` where a buffer has no room for another panel.
int64_t rollcall_scan_vnni(const SampleMatrix* matrix, const Queries* queries, const Candidates* out, int64_t from,
                           int64_t to, int64_t stride) {
  return scan(meet_vnni, matrix, queries, out, from, to, stride);
}

int64_t rollcall_scan_avx2(const SampleMatrix* matrix, const Queries* queries, const Candidates* out, int64_t from,
                           int64_t to, int64_t stride) {
  return scan(meet_avx2, matrix, queries, out, from, to, stride);
}
}
