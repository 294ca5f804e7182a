// 3x3 convolutions of stride 1 by F(4x4, 3x3) of Winograd: 36 products for a tile of 16 outputs in place of 144.
//
// y = A' [(G w G') * (B' x B)] A for a tile of 4x4 outputs and its 6x6 inputs (Lavin and Gray 2016): both are taken to
// the values of polynomials at six points an axis, multiplied there, and interpolated. The points are 0, 1/R, -1/R, R,
// -R and infinity with R = sqrt(2), for which errors are half those of the usual R = 2, 1/R = 1. Between the transforms
// stand 36 matrix products, tiles x channels times channels x filters. Images lie with channels last, a multiple of
// LANES of them, so that everything is done in whole vectors. What an output is does not depend on the threads.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using Size = std::int64_t;

#if defined(__AVX512F__)
constexpr Size LANES = 16, SUMS = 24;  // as many sums as fit into registers beside what is multiplied
#elif defined(__AVX__)
constexpr Size LANES = 8, SUMS = 12;
#else
constexpr Size LANES = 4, SUMS = 24;
#endif
constexpr Size STEP = 4, KERNEL = 3, SIDE = STEP + KERNEL - 1, POINTS = SIDE * SIDE;
constexpr Size ROWS = 6, WIDTH = SUMS / ROWS;  // of the sums: rows, and vectors in a row
constexpr Size NARROW = 8;                     // rows where there is one vector in a row
constexpr Size HELD = LANES, FEW = 4;          // or rows of the right matrix in registers, beside as many sums
constexpr Size CACHED = 100000;                // floats of a block of tiles, which a core's own cache holds
constexpr Size SHARED = 8 * CACHED;            // where all threads work on a block, so that they seldom wait
constexpr Size BLOCK = 48;                     // tiles, or a multiple
constexpr Size SUMMED = 2 * BLOCK;             // tiles in a row: sums of such sums have smaller errors

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef float Unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

inline Vector load(const float *from) { return *reinterpret_cast<const Unaligned *>(from); }
inline void store(float *to, Vector vector) { *reinterpret_cast<Unaligned *>(to) = vector; }

// Maps of one axis. FAR * NEAR = 1, and the denominators of the interpolation are 1, -3 / 2 and 6.

constexpr float FAR_POINT = 1.41421356237309504880f, NEAR_POINT = FAR_POINT / 2;
constexpr float FAR_SHARE = 1.f / 6, NEAR_SHARE = -2.f / 3;

inline void at_both_signs(Vector even, Vector odd, Vector *made) {  // of a polynomial by its even and its odd terms
  made[0] = even + odd;
  made[1] = even - odd;
}

inline void input_to_points(const Vector *x, Vector *v) {  // B': 6 -> 6
  const Vector near = x[4] - 2.f * x[2], near_odd = NEAR_POINT * (x[3] - 2.f * x[1]);
  const Vector far = x[4] - .5f * x[2], far_odd = FAR_POINT * (x[3] - .5f * x[1]);
  v[0] = x[0] - 2.5f * x[2] + x[4];
  at_both_signs(near, near_odd, v + 1);
  at_both_signs(far, far_odd, v + 3);
  v[5] = x[1] - 2.5f * x[3] + x[5];
}

inline void points_to_output(const Vector *m, Vector *y) {  // A': 6 -> 4
  const Vector near = m[1] + m[2], near_odd = NEAR_POINT * (m[1] - m[2]);
  const Vector far = m[3] + m[4], far_odd = FAR_POINT * (m[3] - m[4]);
  y[0] = m[0] + near + far;
  y[1] = near_odd + far_odd;
  y[2] = .5f * near + 2.f * far;
  y[3] = .5f * near_odd + 2.f * far_odd + m[5];
}

inline void output_to_points(const Vector *y, Vector *m) {  // A: 4 -> 6
  const Vector near = y[0] + .5f * y[2], near_odd = NEAR_POINT * (y[1] + .5f * y[3]);
  const Vector far = y[0] + 2.f * y[2], far_odd = FAR_POINT * (y[1] + 2.f * y[3]);
  m[0] = y[0];
  at_both_signs(near, near_odd, m + 1);
  at_both_signs(far, far_odd, m + 3);
  m[5] = y[3];
}

inline void kernel_to_points(const Vector *w, Vector *u) {  // G: 3 -> 6
  const Vector near = NEAR_SHARE * (w[0] + .5f * w[2]), near_odd = NEAR_SHARE * NEAR_POINT * w[1];
  const Vector far = FAR_SHARE * (w[0] + 2.f * w[2]), far_odd = FAR_SHARE * FAR_POINT * w[1];
  u[0] = w[0];
  at_both_signs(near, near_odd, u + 1);
  at_both_signs(far, far_odd, u + 3);
  u[5] = w[2];
}

inline void points_to_kernel(const Vector *u, Vector *w) {  // G': 6 -> 3
  const Vector near = NEAR_SHARE * (u[1] + u[2]), near_odd = NEAR_SHARE * NEAR_POINT * (u[1] - u[2]);
  const Vector far = FAR_SHARE * (u[3] + u[4]), far_odd = FAR_SHARE * FAR_POINT * (u[3] - u[4]);
  w[0] = u[0] + near + far;
  w[1] = near_odd + far_odd;
  w[2] = .5f * near + 2.f * far + u[5];
}

// The map of both axes of read(i, j), IN x IN, given to write(i, j, made), OUT x OUT.
template <auto MAP, Size IN, Size OUT, class Read, class Write>
inline void both_axes(Read read, Write write) {
  Vector half[OUT * IN];
  for (Size j = 0; j < IN; ++j) {
    Vector column[IN], made[OUT];
    for (Size i = 0; i < IN; ++i) column[i] = read(i, j);
    MAP(column, made);
    for (Size i = 0; i < OUT; ++i) half[i * IN + j] = made[i];
  }
  for (Size i = 0; i < OUT; ++i) {
    Vector made[OUT];
    MAP(half + i * IN, made);
    for (Size j = 0; j < OUT; ++j) write(i, j, made[j]);
  }
}

// Matrix products. Rows of the left matrix are `row` apart and its columns `column`; the right one and the product lie
// row by row, with `width` numbers in each.

struct Left {
  const float *at;
  Size row, column;
  Left from(Size first, Size along = 0) const { return {at + first * row + along * column, row, column}; }
};

template <Size DOWN, Size ACROSS>
inline void few_rows(Left left, Size inner, const float *right, Size width, float *made, bool more) {
  Vector sums[DOWN][ACROSS] = {};
  for (Size i = 0; i < inner; ++i) {
    Vector row[ACROSS];
    for (Size j = 0; j < ACROSS; ++j) row[j] = load(right + i * width + j * LANES);
    for (Size r = 0; r < DOWN; ++r)
      for (Size j = 0; j < ACROSS; ++j) sums[r][j] += left.at[r * left.row + i * left.column] * row[j];
  }
  for (Size r = 0; r < DOWN; ++r)
    for (Size j = 0; j < ACROSS; ++j) {
      float *to = made + r * width + j * LANES;
      store(to, more ? load(to) + sums[r][j] : sums[r][j]);
    }
}

template <Size DOWN, Size ACROSS>
void all_rows(Left left, Size rows, Size inner, const float *right, Size width, float *made, bool more) {
  Size r = 0;
  for (; r + DOWN <= rows; r += DOWN)
    few_rows<DOWN, ACROSS>(left.from(r), inner, right, width, made + r * width, more);
  if constexpr (DOWN > 1)
    if (r < rows)
      all_rows<DOWN / 2, ACROSS>(left.from(r), rows - r, inner, right, width, made + r * width, more);
}

// One vector of each of DOWN rows, HELD rows of the right matrix being at hand.
template <Size DOWN>
inline void by_held(Left left, const Vector *held, Size width, float *made, bool more) {
  Vector sums[DOWN];
  for (Size r = 0; r < DOWN; ++r) sums[r] = more ? load(made + r * width) : Vector{};
#pragma GCC unroll 16
  for (Size i = 0; i < HELD; ++i)
    for (Size r = 0; r < DOWN; ++r) sums[r] += left.at[r * left.row + i * left.column] * held[i];
  for (Size r = 0; r < DOWN; ++r) store(made + r * width, sums[r]);
}

// The same for all rows, and an inner length that is a multiple of HELD.
void all_by_held(Left left, Size rows, Size inner, const float *right, Size width, float *made, bool more) {
  for (Size i = 0; i < inner; i += HELD, more = true) {
    Vector held[HELD];
    for (Size h = 0; h < HELD; ++h) held[h] = load(right + (i + h) * width);
    Size r = 0;
    for (; r + FEW <= rows; r += FEW) by_held<FEW>(left.from(r, i), held, width, made + r * width, more);
    for (; r < rows; ++r) by_held<1>(left.from(r, i), held, width, made + r * width, more);
  }
}

// made = left right; `more`: made += left right. Where sums are short, so that they begin and end often, it is the right
// matrix that stays in registers.
void multiply(Left left, Size rows, Size inner, const float *right, Size width, float *made, bool more) {
  Size j = 0;
  for (; j + WIDTH * LANES <= width; j += WIDTH * LANES)
    all_rows<ROWS, WIDTH>(left, rows, inner, right + j, width, made + j, more);
  for (; j < width; j += LANES)
    if (inner <= 2 * HELD && inner % HELD == 0)
      all_by_held(left, rows, inner, right + j, width, made + j, more);
    else
      all_rows<NARROW, 1>(left, rows, inner, right + j, width, made + j, more);
}

// Images (count, height, width, channels) and their tiles. Whoever handles a tile has the next one of the row fetched.

struct Images {
  Size count, height, width;
  Size pixels() const { return height * width; }
  Size down() const { return (height + STEP - 1) / STEP; }
  Size across() const { return (width + STEP - 1) / STEP; }
  Size tiles() const { return count * down() * across(); }
};

struct Tile {
  Size image, top, left;
  Tile(Images images, Size index)
      : image(index / images.across() / images.down()),
        top(index / images.across() % images.down() * STEP),
        left(index % images.across() * STEP) {}
};

// The values at the points of WINDOW x WINDOW pixels from (top, left) on, 0 outside the image; points are `apart`.
template <auto MAP, Size WINDOW>
void to_points(const float *image, Images images, Size channels, Size top, Size left, float *points, Size apart) {
  const bool inside = top >= 0 && left >= 0 && top + WINDOW <= images.height && left + WINDOW <= images.width;
  for (Size c = 0; c < channels; c += LANES)
    both_axes<MAP, WINDOW, SIDE>(
        [=](Size i, Size j) {
          const Size y = top + i, x = left + j;
          const bool is = inside || (y >= 0 && y < images.height && x >= 0 && x < images.width);
          if (j >= WINDOW - STEP) __builtin_prefetch(image + (y * images.width + x + STEP) * channels + c);
          return is ? load(image + (y * images.width + x) * channels + c) : Vector{};
        },
        [=](Size i, Size j, Vector made) { store(points + (i * SIDE + j) * apart + c, made); });
}

struct After {  // what follows a convolution: y + bias + other, and its positive part
  const float *bias, *other;
  bool relu;
};

void from_points(const float *points, Size apart, Images images, Size filters, Tile tile, After after, float *made) {
  const Size rows = std::min(STEP, images.height - tile.top), columns = std::min(STEP, images.width - tile.left);
  const Size corner = tile.image * images.pixels() + tile.top * images.width + tile.left;
  for (Size k = 0; k < filters; k += LANES)
    both_axes<points_to_output, SIDE, STEP>(
        [=](Size i, Size j) { return load(points + (i * SIDE + j) * apart + k); },
        [=](Size i, Size j, Vector pixel) {
          if (i >= rows || j >= columns) return;
          const Size at = (corner + i * images.width + j) * filters + k;
          if (after.bias) pixel += load(after.bias + k);
          if (after.other) pixel += load(after.other + at);
          if (after.relu) pixel = pixel < 0.f ? Vector{} : pixel;  // NaN stays
          store(made + at, pixel);
          __builtin_prefetch(made + at + STEP * filters, 1);
        });
}

// Memory for the points of a block of tiles, kept from call to call.

class Scratch {
 public:
  float *of(Size floats) {
    if (size < floats) {
      std::free(memory);
      memory = static_cast<float *>(std::aligned_alloc(64, (4 * floats + 63) / 64 * 64));
      size = memory ? floats : 0;
    }
    return memory;
  }
  ~Scratch() { std::free(memory); }

 private:
  float *memory = nullptr;
  Size size = 0;
};

thread_local Scratch scratch;

struct Blocks {
  Size most, tiles, channels, filters;
  Size size() const { return std::max<Size>(1, most / (POINTS * (channels + filters)) / BLOCK) * BLOCK; }
  Size apart_x() const { return size() * channels + LANES; }  // not a power of two: caches keep those in few places
  Size apart_y() const { return size() * filters + LANES; }
  Size floats() const { return POINTS * (apart_x() + apart_y()); }
  Size from(Size first) const { return std::min(size(), tiles - first); }
};

}  // namespace

extern "C" {

Size lanes() { return LANES; }

// Numbers between one point of a kernel and the next.
Size kernel_apart(Size channels, Size filters) { return channels * filters + LANES; }

// u (36, channels, filters) of w, `strides` being those of its filters, channels, rows and columns.
void kernel_points(const float *w, const Size *strides, Size channels, Size filters, float *u) {
  const Size apart = kernel_apart(channels, filters);
#pragma omp parallel for schedule(static)
  for (Size k = 0; k < filters; k += LANES)
    for (Size c = 0; c < channels; ++c)
      both_axes<kernel_to_points, KERNEL, SIDE>(
          [=](Size i, Size j) {
            Vector found;
            for (Size lane = 0; lane < LANES; ++lane)
              found[lane] = w[(k + lane) * strides[0] + c * strides[1] + i * strides[2] + j * strides[3]];
            return found;
          },
          [=](Size i, Size j, Vector made) { store(u + (i * SIDE + j) * apart + c * filters + k, made); });
}

// y (count, height, width, filters) = sum of x * w over `pairs` of both + bias + other, or its positive part; 1 where
// memory is short.
int convolve(Size pairs, const float *const *x, const float *const *u, const float *bias, const float *other, int relu,
             const Size *shape, Size channels, Size filters, float *y) {
  const Images images{shape[0], shape[1], shape[2]};
  const Blocks blocks{CACHED, images.tiles(), channels, filters};
  const Size apart_x = blocks.apart_x(), apart_y = blocks.apart_y();
  int failed = 0;
#pragma omp parallel for schedule(static) reduction(| : failed)
  for (Size first = 0; first < blocks.tiles; first += blocks.size()) {
    float *const points_x = scratch.of(blocks.floats());
    if (!points_x) {
      failed = 1;
      continue;
    }
    float *const points_y = points_x + POINTS * apart_x;
    for (Size pair = 0; pair < pairs; ++pair) {
      for (Size t = 0; t < blocks.from(first); ++t) {
        const Tile tile(images, first + t);
        to_points<input_to_points, SIDE>(x[pair] + tile.image * images.pixels() * channels, images, channels,
                                         tile.top - 1, tile.left - 1, points_x + t * channels, apart_x);
      }
      for (Size p = 0; p < POINTS; ++p)
        multiply({points_x + p * apart_x, channels, 1}, blocks.from(first), channels,
                 u[pair] + p * kernel_apart(channels, filters), filters, points_y + p * apart_y, pair > 0);
    }
    const After after{bias, other, relu != 0};
    for (Size t = 0; t < blocks.from(first); ++t)
      from_points(points_y + t * filters, apart_y, images, filters, Tile(images, first + t), after, y);
  }
  return failed;
}

// dw, `strides` as above, of the sum of y (x * w); u: memory for the kernel's points; 1 where memory is short.
int kernel_gradient(const float *x, const float *y, const Size *shape, Size channels, Size filters, float *u, float *dw,
                    const Size *strides) {
  const Images images{shape[0], shape[1], shape[2]};
  const Blocks blocks{SHARED, images.tiles(), channels, filters};
  const Size apart_x = blocks.apart_x(), apart_y = blocks.apart_y(), apart = kernel_apart(channels, filters);
  float *const points_x = scratch.of(blocks.floats());
  if (!points_x) return 1;
  float *const points_y = points_x + POINTS * apart_x;
#pragma omp parallel
  {
    for (Size first = 0; first < blocks.tiles; first += blocks.size()) {
#pragma omp for schedule(static)
      for (Size t = 0; t < blocks.from(first); ++t) {
        const Tile tile(images, first + t);
        const Size image = tile.image * images.pixels();
        to_points<input_to_points, SIDE>(x + image * channels, images, channels, tile.top - 1, tile.left - 1,
                                         points_x + t * channels, apart_x);
        to_points<output_to_points, STEP>(y + image * filters, images, filters, tile.top, tile.left,
                                          points_y + t * filters, apart_y);
      }
#pragma omp for schedule(static)
      for (Size p = 0; p < POINTS; ++p)
        for (Size t = 0; t < blocks.from(first); t += SUMMED)
          multiply({points_x + p * apart_x + t * channels, 1, channels}, channels,
                   std::min(SUMMED, blocks.from(first) - t), points_y + p * apart_y + t * filters, filters,
                   u + p * apart, first + t > 0);
    }
#pragma omp for schedule(static)
    for (Size k = 0; k < filters; k += LANES)
      for (Size c = 0; c < channels; ++c)
        both_axes<points_to_kernel, SIDE, KERNEL>(
            [=](Size i, Size j) { return load(u + (i * SIDE + j) * apart + c * filters + k); },
            [=](Size i, Size j, Vector made) {
              for (Size lane = 0; lane < LANES; ++lane)
                dw[(k + lane) * strides[0] + c * strides[1] + i * strides[2] + j * strides[3]] = made[lane];
            });
  }
  return 0;
}
}
